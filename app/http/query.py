"""Query parameters, decoded into a Struct."""

from typing import Any, Final, TypeVar, get_args, get_origin
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request

from app.core.errors import Malformed
from app.http.places import place_of, step
from orm.errors import Invalid, Place

T = TypeVar("T", bound=msgspec.Struct)

_MOST_PARAMETERS: Final = 100  # far more than any route declares; bounds the work that a client can ask for


def query(request: Request, parameters: type[T]) -> T:
    """The query string as a `parameters` Struct, of texts, numbers, booleans, literals, or lists of these.

    A list takes the parameter as often as it is given; all else may be given once. Raises Invalid with
    pointers `/query/<name>` for what is unknown, doubled, missing or of the wrong type, all at once, and
    Malformed for a query string that cannot be read.
    """
    raw = request.scope["query_string"]
    given = _parse(raw) if raw else []
    fields = {field.encode_name: field for field in msgspec.structs.fields(parameters)}
    values: dict[str, Any] = {}
    places: list[Place] = []
    for name, value in given:
        if name not in fields:
            places.append(Place("/query" + step(name), "unknown", "There is no such parameter."))
        elif _is_list(fields[name].type):
            values.setdefault(name, []).append(value)
        elif name in values:
            places.append(Place(f"/query/{name}", "doubled", "This parameter may be given once."))
        else:
            values[name] = value
    try:
        found = msgspec.convert(values, parameters, strict=False)
    except msgspec.ValidationError as error:
        places += _wrong(values, fields) or [place_of(error, "/query")]
    else:
        if not places:
            return found
    detail = places[0].message if len(places) == 1 else f"The query is wrong in {len(places)} places."
    raise Invalid(detail, errors=places)


def _parse(raw: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            raw.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_PARAMETERS, errors="strict"
        )
    except ValueError as error:
        raise Malformed(
            "The query string cannot be read: it has too many parameters, or is not UTF-8."
        ) from error


def _wrong(values: dict[str, Any], fields: dict[str, msgspec.structs.FieldInfo]) -> list[Place]:
    places = []
    for name, field in fields.items():
        if name not in values:
            if field.required:
                places.append(Place(f"/query/{name}", "required", f"The parameter `{name}` is missing."))
            continue
        try:
            msgspec.convert(values[name], field.type, strict=False)
        except msgspec.ValidationError as error:
            places.append(place_of(error, f"/query/{name}"))
    return places


def _is_list(annotation: Any) -> bool:
    origin = get_origin(annotation) or annotation
    return origin in (list, tuple, set, frozenset) or any(
        get_origin(option) in (list, tuple, set, frozenset) for option in get_args(annotation)
    )
