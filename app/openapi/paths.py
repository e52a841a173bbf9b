"""Operations by path and method, each with an id of its own."""

import re
from typing import Final

from app.openapi.parameters import ID, ID_PARAMETER
from app.openapi.schemas import Schema

_PARAMETER: Final = re.compile(r"\{([^}]*)\}")
_NO_WORD: Final = re.compile(r"[^A-Za-z0-9]+")
_METHODS: Final = ("get", "put", "post", "patch", "delete", "head", "options", "trace")


class Paths:
    """What is under `paths`. To OpenAPI two paths that differ in the names of parameters only are one, so the
    names of the first one hold for both.
    """

    def __init__(self) -> None:
        self._items: dict[str, dict[str, Schema]] = {}
        self._templates: dict[str, str] = {}
        self._ids: set[str] = set()

    def has(self, template: str, method: str) -> bool:
        """Whether there is an operation already that answers these requests."""
        known = self._templates.get(_shape(template))
        return known is not None and method.lower() in self._items[known]

    def add(self, template: str, method: str, operation: Schema) -> None:
        """Take in an operation, whose `operationId` becomes a longer one when another has it."""
        known = self._templates.setdefault(_shape(template), template)
        if known != template and method.lower() not in self._items[known]:
            operation = _renamed(operation, template, known)
            template = known
        wanted = operation["operationId"]
        operation = {**operation, "operationId": self._unique(wanted, method, template)}
        self._items.setdefault(template, {})[method.lower()] = operation

    def as_dict(self) -> dict[str, dict[str, Schema]]:
        """All of them, by path and in one order of methods, whatever the order of their arrival."""
        return {
            template: {method: item[method] for method in _METHODS if method in item}
            for template, item in sorted(self._items.items())
        }

    def _unique(self, wanted: str, method: str, template: str) -> str:
        found = wanted
        if found in self._ids:
            found = word(f"{wanted}_{method.lower()}_{template}")
        longer, number = found, 2
        while found in self._ids:
            found, number = f"{longer}_{number}", number + 1
        self._ids.add(found)
        return found


def word(text: str) -> str:
    """`text` as one word of letters, digits and underscores, as programs made from the document want it."""
    return _NO_WORD.sub("_", text).strip("_")


def _shape(template: str) -> str:
    return _PARAMETER.sub("{}", template)


def _renamed(operation: Schema, template: str, known: str) -> Schema:
    names = dict(zip(_PARAMETER.findall(template), _PARAMETER.findall(known), strict=True))
    return {
        **operation,
        "parameters": [_renamed_parameter(one, names) for one in operation.get("parameters", [])],
    }


def _renamed_parameter(parameter: Schema, names: dict[str, str]) -> Schema:
    if parameter == ID:
        parameter = ID_PARAMETER
    is_of_path = parameter.get("in") == "path"
    return {**parameter, "name": names[parameter["name"]]} if is_of_path else parameter
