"""What schemathesis cannot know of this API, brought into the requests that it makes up.

Names of fields are texts to a schema: most that are made up are refused at once, and nothing of the search
behind them is tried. Here a made-up name mostly becomes one of the model's own, chosen by the text itself, so
that a run with the same seed stays the same. What is no name stays what it is: it is meant to be wrong.

A made-up Idempotency-Key becomes a fresh one: the generator has few of them, and an answer that is repeated
tells nothing of the request at hand. The users who ask are left as they are: a run that disables itself would
find nothing any more.
"""

import itertools
import json
import re
import zlib
from typing import Any, Final

import schemathesis

_NAME: Final = re.compile(r"-?[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)*")
_KEY: Final = re.compile(r"[!-~]{1,255}")
_ASKERS: Final = 10  # ids below are those of users that the test made: see tests/e2e/test_openapi.py
_OF_NAMES: Final = frozenset({"fields", "order", "group_by"})


_numbers = itertools.count(1)


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Change what is about to be sent."""
    _spare_the_askers(case)
    # Where a header is left out on purpose, headers are not to be touched: they would be completed again.
    is_missing = "Missing" in (getattr(case.meta.phase.data, "description", None) or "")
    if not is_missing and _KEY.fullmatch((case.headers or {}).get("Idempotency-Key", "")):
        case.headers["Idempotency-Key"] = f"key-{next(_numbers)}"
    fields = _fields_of(case.operation)
    if fields:
        if isinstance(case.query, dict):
            for name, value in case.query.items():
                case.query[name] = _in_query(name, value, fields)
        if isinstance(case.body, dict):
            _in_body(case.body, fields)


def _spare_the_askers(case: Any) -> None:
    if case.operation.path.startswith("/api/users/") and isinstance(case.path_parameters, dict):
        for name, value in case.path_parameters.items():
            if str(value).isdigit() and int(value) < _ASKERS:
                case.path_parameters[name] = type(value)(_ASKERS + int(value))


def _fields_of(operation: Any) -> list[str]:
    """The fields of the model that a path is about, by the schema of its rows; none for another path."""
    found = re.match(r"/api/([^/{]+)", operation.path)
    if found is None:
        return []
    document = operation.schema.raw_schema
    row = document["paths"].get(f"/api/{found[1]}/{{id}}", {}).get("get")
    if row is None:
        return []
    name = row["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    return list(document["components"]["schemas"][name]["properties"])


def _in_query(name: str, value: Any, fields: list[str]) -> Any:
    if name == "filter" and isinstance(value, str):
        try:
            conditions = json.loads(value)
        except ValueError:
            return value
        return json.dumps(_conditions(conditions, fields))
    if name == "filter":
        return _conditions(value, fields)
    if name in _OF_NAMES and isinstance(value, str):
        return ",".join(_known(one, fields) for one in value.split(","))
    return _names(value, fields) if name in _OF_NAMES else value


def _in_body(body: dict[str, Any], fields: list[str]) -> None:
    for name, value in body.items():
        if name == "filter":
            body[name] = _conditions(value, fields)
        elif name in _OF_NAMES:
            body[name] = _names(value, fields)
        elif name == "values" and isinstance(value, dict):
            for figure in value.values():
                if isinstance(figure, list) and len(figure) == 2:
                    figure[1] = _known(figure[1], fields)


def _conditions(found: Any, fields: list[str]) -> Any:
    return [_condition(one, fields) for one in found] if isinstance(found, list) else found


def _condition(condition: Any, fields: list[str]) -> Any:
    if not isinstance(condition, list) or not condition or not isinstance(condition[0], str):
        return condition
    head, *rest = condition
    if head in ("and", "or", "not"):
        return [head, *_conditions(rest, fields)]
    return [_known(head, fields), *rest]


def _names(value: Any, fields: list[str]) -> Any:
    return [_known(one, fields) for one in value] if isinstance(value, list) else _known(value, fields)


def _known(name: Any, fields: list[str]) -> Any:
    """A field of the model in the place of a made-up name; every eighth stays what it is."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        return name
    number = zlib.crc32(name.encode())
    if number % 8 == 0:
        return name
    sign = "-" if name.startswith("-") else ""
    return sign + fields[number // 8 % len(fields)]
