"""Every place of a JSON text that does not fit a type, where msgspec by itself names only the first.

Runs only after a decoding has failed, so it may be slow: it takes the text apart along the type (Structs,
lists, mappings, unions with one container in them) and decodes each piece by itself.
"""

import re
import types
from collections.abc import Mapping, Sequence, Set
from contextlib import suppress
from typing import Annotated, Any, Final, Union, get_args, get_origin

import msgspec

from orm.errors import Place

MOST_PLACES: Final = 50
"""More places than this are not reported: nobody reads on, and a hostile body could have a million."""

_MOST_PIECES: Final = 10_000
"""Values looked at one by one, some 4 microseconds each; beyond, the one that msgspec names must do."""

_DEEPEST: Final = 16
"""Levels that are taken apart. Each is scanned once more by the one above: dear where a type is recursive."""

_AT: Final = re.compile(r"(?P<message>.*) - at (?:`key` in )?`\$(?P<path>.*)`", re.DOTALL)
_STEP: Final = re.compile(r"\.([^.\[]+)|\[(\d+)\]|\[\.\.\.\]")
_LISTS: Final = (list, set, frozenset, Sequence, Set)
_MAPPINGS: Final = (dict, Mapping)

# What msgspec's sentences begin with, and the code that stands for it; the first that fits counts.
_CODES: Final = (
    (re.compile(r"Object missing required field"), "required"),
    (re.compile(r"Object contains unknown field"), "unknown"),
    (re.compile(r"Expected `[^`]*` of length|Expected `array` of|Expected `object` of"), "length"),
    (re.compile(r"Expected `[^`]*` (matching)"), "pattern"),
    (re.compile(r"Expected `[^`]*` (<|>|that's)|.* out of range"), "range"),
    (re.compile(r"Expected `[^`]*` with"), "format"),
    (re.compile(r"Expected "), "type"),
    (re.compile(r"Invalid enum value|Invalid value"), "choice"),
    (re.compile(r"Invalid "), "format"),
)


def places_in(text: bytes, expected: Any) -> tuple[Place, ...]:
    """The places that keep `text` from being an `expected`, in the order of the type, at most MOST_PLACES.

    Pointers are into the text. Raises msgspec.DecodeError, UnicodeDecodeError or RecursionError when the text
    is not JSON at all.
    """
    msgspec.json.decode(text, type=msgspec.Raw)  # a wrong type can be found before a broken end is
    search = _Search()
    search.look_at(text, expected, "", depth=0)
    return tuple(search.places)


def place_of(error: msgspec.ValidationError, pointer: str = "") -> Place:
    """The place that msgspec's sentence speaks of, below `pointer`; the key of a mapping is a `*` there."""
    found = _AT.fullmatch(str(error))
    message, path = (found["message"], found["path"]) if found else (str(error), "")
    steps = [field or index or "*" for field, index in _STEP.findall(path)]
    code = next((code for beginning, code in _CODES if beginning.match(message)), "invalid")
    field = re.search(r"field `(.*)`", message) if code in ("required", "unknown") else None
    if field:
        steps.append(field[1])
    return Place("".join([pointer, *map(step, steps)]), code, message)


class _Search:
    """One walk through a text along its type; ends early when enough was found or looked at."""

    def __init__(self) -> None:
        self.places: list[Place] = []
        self._pieces_left = _MOST_PIECES

    @property
    def _is_over(self) -> bool:
        return self._pieces_left == 0 or len(self.places) >= MOST_PLACES

    def look_at(self, text: bytes, expected: Any, pointer: str, *, depth: int) -> None:
        if self._is_over:
            return
        self._pieces_left -= 1
        told = len(self.places)
        if depth < _DEEPEST:
            # An error here is that it is no such container at all: decoding the whole says so below.
            with suppress(msgspec.ValidationError):
                self._look_inside(text, _container(expected, text), pointer, depth + 1)
        if len(self.places) > told:
            return
        try:
            msgspec.json.decode(text, type=expected)
        except msgspec.ValidationError as error:
            self.places.append(place_of(error, pointer))

    def _look_inside(self, text: bytes, container: Any, pointer: str, depth: int) -> None:
        origin = get_origin(container) or container
        if isinstance(origin, type) and issubclass(origin, msgspec.Struct):
            members = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
            self._look_at_fields(members, container, pointer, depth)
            if origin.__struct_config__.forbid_unknown_fields:
                self._look_for_unknown(members, container, pointer)
        elif origin in _LISTS:
            for index, item in enumerate(msgspec.json.decode(text, type=list[msgspec.Raw])):
                if self._is_over:
                    return
                self.look_at(bytes(item), get_args(container)[0], f"{pointer}/{index}", depth=depth)
        elif origin in _MAPPINGS:
            for key, item in msgspec.json.decode(text, type=dict[str, msgspec.Raw]).items():
                if self._is_over:
                    return
                self.look_at(bytes(item), get_args(container)[1], pointer + step(key), depth=depth)

    def _look_at_fields(self, members: dict[str, msgspec.Raw], struct: Any, pointer: str, depth: int) -> None:
        for field in msgspec.structs.fields(struct):
            name = field.encode_name
            if name in members:
                self.look_at(bytes(members[name]), field.type, pointer + step(name), depth=depth)
            elif field.required:
                message = f"Object missing required field `{name}`"
                self.places.append(Place(pointer + step(name), "required", message))

    def _look_for_unknown(self, members: dict[str, msgspec.Raw], struct: Any, pointer: str) -> None:
        known = {field.encode_name for field in msgspec.structs.fields(struct)}
        for name in members:
            if self._is_over:
                return
            if name not in known:
                message = f"Object contains unknown field `{name}`"
                self.places.append(Place(pointer + step(name), "unknown", message))


def _container(expected: Any, text: bytes) -> Any:
    """The Struct, list or mapping type that `text` is to be taken apart by; None where there is none."""
    if get_origin(expected) is Annotated:
        return _container(get_args(expected)[0], text)
    if get_origin(expected) in (Union, types.UnionType):
        if text == b"null":
            return None
        containers = [
            found
            for found in (_container(option, text) for option in get_args(expected))
            if found is not None
        ]
        return containers[0] if len(containers) == 1 else None
    origin = get_origin(expected) or expected
    if isinstance(origin, type) and issubclass(origin, msgspec.Struct):
        config = origin.__struct_config__
        return None if config.array_like or config.tag is not None else expected
    return expected if origin in (*_LISTS, *_MAPPINGS) and get_args(expected) else None


def step(name: str) -> str:
    """One step of a JSON pointer (RFC 6901)."""
    return "/" + name.replace("~", "~0").replace("/", "~1")
