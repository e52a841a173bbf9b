"""How an entry of a batch speaks of what an earlier one was answered. Pure.

    {"$ref": "0.id"}              in a body, wherever a value stands: the id that entry 0 was answered
    "/api/tasks/{0.id}/drop"      in a path, as a whole segment
    {"$ref": "0.data.1.id"}       names of objects and positions in lists, joined by dots

Any other object with a `$ref`, such as that of a JSON schema, is a value like all others.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

from orm.errors import Invalid, Place

WORD: Final = "$ref"

_REFERENCE: Final = re.compile(r"[0-9]{1,4}(?:\.[A-Za-z0-9_]+)+")
_SEGMENT: Final = re.compile(r"\{(" + _REFERENCE.pattern + r")\}")


def filled_in(value: Any, results: Sequence[Any], pointer: str) -> Any:
    """`value` with what its references stand for. `results` are the bodies that were answered so far.

    Raises Invalid, at the place below `pointer`, for one that stands for nothing."""
    if isinstance(value, dict):
        reference = value.get(WORD)
        if len(value) == 1 and isinstance(reference, str) and _REFERENCE.fullmatch(reference):
            return _found(reference, results, pointer)
        return {name: filled_in(item, results, f"{pointer}/{_escaped(name)}") for name, item in value.items()}
    if isinstance(value, list):
        return [filled_in(item, results, f"{pointer}/{index}") for index, item in enumerate(value)]
    return value


def path_filled_in(path: str, results: Sequence[Any], pointer: str) -> str:
    """`path` with what its references stand for: whole segments, each a number or a text without a slash."""
    if "{" not in path:
        return path
    segments = path.split("/")
    for index, segment in enumerate(segments):
        reference = _SEGMENT.fullmatch(segment)
        if reference is not None:
            value = _found(reference[1], results, pointer)
            if not isinstance(value, int | str) or isinstance(value, bool) or "/" in str(value):
                raise _refused(pointer, f"{reference[1]} is nothing that can stand in a path.")
            segments[index] = str(value)
    return "/".join(segments)


def _found(reference: str, results: Sequence[Any], pointer: str) -> Any:
    first, *names = reference.split(".")
    if int(first) >= len(results):
        raise _refused(pointer, f"{reference} is no earlier entry: they are counted from 0.")
    value = results[int(first)]
    for name in names:
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, list) and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        else:
            raise _refused(pointer, f"{reference} stands for nothing: there is no {name} in that answer.")
    return value


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _refused(pointer: str, sentence: str) -> Invalid:
    return Invalid(sentence, errors=(Place(pointer, "reference", sentence),))
