"""Searches whose answer is known: what several paths ask."""

import datetime as dt
import decimal
import json
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import quote, urlencode

from tests.integration.access.building import may_read
from tests.integration.access.look import Look

WHOLE: Final = 500
"""More rows than there are in any table."""


def query(**parameters: Any) -> str:
    return urlencode(
        {
            name: value if isinstance(value, str) else json.dumps(value, default=str)
            for name, value in parameters.items()
        },
        quote_via=quote,
    )


async def finds(
    look: Look, method: str, path: str, expected: frozenset[int] | None, body: Any = None
) -> None:
    answer = await look.ask(method, path, body)
    if expected is None:
        look.same(method, path, answer.status_code, 403, body)
        return
    look.same(method, path, answer.status_code, 200, body)
    if answer.status_code == 200:
        look.same(method, path, {row["id"] for row in answer.json()["data"]}, set(expected), body)


async def finds_of(look: Look, filter: list[Any], ids: Iterable[int]) -> None:
    """Those of `ids` that he sees pass the filter, in a list and in a count."""
    expected = None if look.seen is None else look.seen.intersection(ids)
    body = {"filter": filter, "fields": ["id"], "limit": WHOLE, "count": "exact"}
    await finds(look, "POST", f"{look.path}/search", expected, body)


async def is_refused(look: Look, body: dict[str, Any]) -> None:
    path = f"{look.path}/search"
    look.same("POST", path, (await look.ask("POST", path, body)).status_code, 403, body)


def may_name(look: Look, table: str, name: str) -> bool:
    return may_read(look.asker, table, name)


def as_json(value: Any) -> Any:
    """A value of a row as a client names it."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, dt.datetime):
        return value.isoformat()
    return str(value) if isinstance(value, decimal.Decimal) else None
