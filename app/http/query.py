"""Query parameters, decoded into a Struct."""

from typing import Any, Final, Generic, TypeVar, get_args, get_origin
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request

from app.core.errors import Malformed
from app.http.places import place_of, step
from orm.errors import Invalid, Place

T = TypeVar("T", bound=msgspec.Struct)

_MOST_PARAMETERS: Final = 100  # far more than any route declares; bounds the work that a client can ask for


class QueryDecoder(Generic[T]):
    """Turns query strings into one Struct, of texts, numbers, booleans, literals, or lists of these.

    A list takes the parameter as often as it is given; all else may be given once. Made once for each route.
    """

    def __init__(self, parameters: type[T]) -> None:
        self._type = parameters
        self._fields = {field.encode_name: field for field in msgspec.structs.fields(parameters)}
        self._lists = frozenset(name for name, field in self._fields.items() if _is_list(field.type))
        self._nullable = frozenset(
            name for name, field in self._fields.items() if _is_null("null", field.type)
        )

    def decode(self, raw: bytes) -> T:
        """The parameters in a raw query string.

        Raises Invalid with pointers `/query/<name>` for what is unknown, doubled, missing or of the wrong
        type, all at once, and Malformed for a query string that cannot be read.
        """
        values: dict[str, Any] = {}
        places: list[Place] = []
        for name, value in _parse(raw) if raw else ():
            if name not in self._fields:
                places.append(Place("/query" + step(name), "unknown", "There is no such parameter."))
            elif name in self._lists:
                values.setdefault(name, []).append(value)
            elif name in values:
                places.append(Place(f"/query/{name}", "doubled", "This parameter may be given once."))
            elif name in self._nullable and _is_null(value):
                sentence = "Leave a parameter out that is to have no value."
                places.append(Place(f"/query/{name}", "type", sentence))
            else:
                values[name] = value
        try:
            found = msgspec.convert(values, self._type, strict=False)
        except msgspec.ValidationError as error:
            places += _wrong(values, self._fields) or [place_of(error, "/query")]
        else:
            if not places:
                return found
        detail = places[0].message if len(places) == 1 else f"The query is wrong in {len(places)} places."
        raise Invalid(detail, errors=places)


def query(request: Request, parameters: type[T]) -> T:
    """The query string as a `parameters` Struct, for a route that does not declare one. Raises likewise."""
    return QueryDecoder(parameters).decode(request.scope["query_string"])


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


def _is_null(text: str, annotation: Any = None) -> bool:
    """Whether a text becomes None: `null` does where a text is not taken as it is."""
    try:
        return msgspec.convert(text, annotation, strict=False) is None
    except msgspec.ValidationError:
        return False


def _is_list(annotation: Any) -> bool:
    origin = get_origin(annotation) or annotation
    return origin in (list, tuple, set, frozenset) or any(
        get_origin(option) in (list, tuple, set, frozenset) for option in get_args(annotation)
    )
