"""What a search asks for: as a query string, or as a body of the same names.

The query string is taken apart by hand, because `app.http.query` is made for any parameters and takes several
times as long. Its conventions hold here too: places are `/query/<name>`, an unknown or doubled parameter is
refused.
"""

from collections.abc import Callable, Container, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, NamedTuple
from urllib.parse import unquote_to_bytes

import msgspec
from msgspec import Meta

from app.core.errors import Malformed
from app.http.bodies import Body, BodyDecoder
from app.http.places import step
from orm.errors import Invalid, Place

DEFAULT_LIMIT: Final = 50
LARGEST_LIMIT: Final = 500
LARGEST_OFFSET: Final = 2**63 - 1  # of PostgreSQL's bigint

_MOST_PARAMETERS: Final = 100  # bounds the work that a client can ask for before it is refused


class Search(Body):
    """Which rows, what of them, in what order, from where on and how many; `count` asks for a total.

    `after` is the cursor of an earlier page. `nested` refines relations and is for bodies only.
    """

    filter: list[Any] = msgspec.field(default_factory=list)
    fields: list[str] | None = None
    order: str | list[str] | None = None
    limit: Annotated[int, Meta(ge=1, le=LARGEST_LIMIT)] = DEFAULT_LIMIT
    offset: Annotated[int, Meta(ge=0, le=LARGEST_OFFSET)] = 0
    after: str | None = None
    count: Literal["none", "exact", "estimated"] = "none"
    nested: dict[str, dict[str, Any]] = msgspec.field(default_factory=dict)


search_body: Final = BodyDecoder(Search)
"""Decodes the body of POST /api/{route}/search."""


class ExportQuery(NamedTuple):
    """Which rows, what of them, in what order, as what; `limit` is how many at most."""

    format: str = "csv"
    filter: Sequence[Any] = ()
    fields: list[str] | None = None
    order: list[str] | None = None
    limit: int | None = None


_FIELDS: Final = ("fields",)
_ON: Final = ("on",)
_decode_filter: Final = msgspec.json.Decoder(list[Any]).decode


def search_in(raw: bytes) -> Search:
    """The search that a raw query string asks for.

    Raises Invalid with all the places that are wrong, Malformed for a query string that cannot be read.
    """
    return Search(**_decoded(raw, _SEARCH)) if raw else Search()


def export_in(raw: bytes) -> ExportQuery:
    """The export that a raw query string asks for. Raises like `search_in`."""
    return ExportQuery(**_decoded(raw, _EXPORT))


def fields_in(raw: bytes) -> list[str] | None:
    """The `fields` of a raw query string that may have no other parameter. Raises like `search_in`."""
    given = _parameters(raw, _FIELDS)
    return given["fields"].split(",") if given else None


def on_in(raw: bytes) -> list[str] | None:
    """The `on` of a raw query string that may have no other parameter. Raises like `search_in`."""
    given = _parameters(raw, _ON)
    return given["on"].split(",") if given else None


class _WrongValue(ValueError):
    """A parameter's text does not say what the parameter is for."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def _filter(text: str) -> list[Any]:
    try:
        return _decode_filter(text)
    except msgspec.ValidationError:
        raise _WrongValue("type", "A filter is a list of conditions.") from None
    except msgspec.DecodeError as error:
        raise _WrongValue("format", f"The filter is not JSON: {error}.") from None
    except RecursionError:
        raise _WrongValue("too_deep", "The filter is nested too deep.") from None


def _names(text: str) -> list[str]:
    return text.split(",")


def _limit(text: str) -> int:
    return _whole_number("limit", text, 1, LARGEST_LIMIT)


def _offset(text: str) -> int:
    return _whole_number("offset", text, 0, LARGEST_OFFSET)


def _whole_number(name: str, text: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit()):
        raise _WrongValue("type", f"`{name}` is a whole number from {least} to {most}.")
    # A number of that many digits is too large whatever they are, and slow to read when there are thousands.
    if len(text) > len(str(LARGEST_OFFSET)) or not least <= int(text) <= most:
        raise _WrongValue("range", f"`{name}` is a whole number from {least} to {most}.")
    return int(text)


def _count(text: str) -> str:
    if text not in ("none", "exact", "estimated"):
        raise _WrongValue("choice", "`count` is none, exact or estimated.")
    return text


def _format(text: str) -> str:
    if text not in ("csv", "jsonl"):
        raise _WrongValue("choice", "`format` is csv or jsonl.")
    return text


def _rows(text: str) -> int:
    return _whole_number("limit", text, 1, LARGEST_OFFSET)


_Decoders = Mapping[str, Callable[[str], Any]]

_SEARCH: Final[_Decoders] = MappingProxyType(
    {
        "filter": _filter,
        "fields": _names,
        "order": _names,
        "limit": _limit,
        "offset": _offset,
        "after": str,
        "count": _count,
    }
)


_EXPORT: Final[_Decoders] = MappingProxyType(
    {"format": _format, "filter": _filter, "fields": _names, "order": _names, "limit": _rows}
)


def _decoded(raw: bytes, decoders: _Decoders) -> dict[str, Any]:
    """The values of the parameters that are given. Raises Invalid with all the places that are wrong."""
    given: dict[str, Any] = _parameters(raw, decoders)
    places: list[Place] = []
    for name, text in given.items():
        try:
            given[name] = decoders[name](text)
        except _WrongValue as wrong:
            places.append(Place(f"/query/{name}", wrong.code, str(wrong)))
    if places:
        raise _invalid(places)
    return given


def _parameters(raw: bytes, known: Container[str]) -> dict[str, str]:
    """The values by name, each once. Raises Invalid for other names than `known`, or one that comes twice."""
    given: dict[str, str] = {}
    places: list[Place] = []
    for pair in _pairs(raw):
        name, _, value = pair.partition("=")
        if name not in known:
            name = _unescaped(name)
        if name not in known:
            places.append(Place("/query" + step(name), "unknown", "There is no such parameter."))
        elif name in given:
            places.append(Place("/query" + step(name), "doubled", "This parameter may be given once."))
        else:
            given[name] = _unescaped(value) if "%" in value or "+" in value else value
    if places:
        raise _invalid(places)
    return given


def _pairs(raw: bytes) -> list[str]:
    try:
        pairs = raw.decode("ascii").split("&", _MOST_PARAMETERS)
    except UnicodeDecodeError as error:
        raise _unreadable() from error
    if len(pairs) > _MOST_PARAMETERS:
        raise _unreadable()
    return [pair for pair in pairs if pair]


def _unescaped(text: str) -> str:
    try:
        return unquote_to_bytes(text.replace("+", " ")).decode()
    except UnicodeDecodeError as error:
        raise _unreadable() from error


def _unreadable() -> Malformed:
    return Malformed("The query string cannot be read: it has too many parameters, or is not UTF-8.")


def _invalid(places: list[Place]) -> Invalid:
    return Invalid(f"The query is wrong: {places[0].message}", errors=places)
