"""JSON schemas of Python types, as msgspec tells them: what hand-written routes read and answer."""

import inspect
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from app.http.problems import ProblemObject
from orm.model import DotModel

Schema = dict[str, Any]

REF: Final = "#/components/schemas/{name}"

_SOMETHING: Final[Schema] = {"type": "object"}  # an empty schema counts as none to msgspec
_NO_NAME: Final = re.compile(r"[^A-Za-z0-9._-]")  # what the name of a component may not have


class Problem(ProblemObject, frozen=True):
    """What went wrong (RFC 9457). `type` is urn:starling:<code>, `instance` the request id; `errors` are the
    places in the input, with JSON pointers (`/query/...` for a parameter).
    """


class Described:
    """Schemas of types, and the components that they refer to."""

    def __init__(
        self, types: Sequence[Any], schemas: Sequence[Schema], components: dict[str, Schema]
    ) -> None:
        # By identity, and the types are kept: an annotation may hold what cannot be hashed.
        self._types = tuple(types)
        self._schemas = {id(type_): schema for type_, schema in zip(types, schemas, strict=True)}
        self.components = components

    def of(self, annotation: Any) -> Schema:
        """The schema of one of the types that were described."""
        return self._schemas[id(annotation)]


def reference(name: str) -> Schema:
    """The schema that stands in components under that name."""
    return {"$ref": REF.format(name=_NO_NAME.sub("_", name))}


def component_name(name: str) -> str:
    """`name`, fit to be the name of a component."""
    return _NO_NAME.sub("_", name)


def described(types: Sequence[Any], records: Mapping[str, str]) -> Described:
    """The schemas of `types`, each of which `is_describable`. `records` has the component of each model's
    records, by table; of a model that is not registered nothing more is told than that it is an object.
    """

    def record(cls: type) -> Schema:
        name = records.get(getattr(cls, "__table__", ""))
        return dict(_SOMETHING) if name is None else reference(name)

    schemas, components = msgspec.json.schema_components(types, schema_hook=record, ref_template=REF)
    for component in components.values():
        if "description" in component:  # a docstring, as it is indented in the source
            component["description"] = inspect.cleandoc(component["description"])
    return Described(types, schemas, components)


def is_describable(annotation: Any) -> bool:
    """Whether msgspec can tell the JSON of `annotation`: it, and everything in it, is data or a model."""
    try:
        msgspec.json.schema(annotation, schema_hook=_model_only)
    except (TypeError, NameError, NotImplementedError):
        # A NameError is an annotation that only type checkers can resolve.
        return False
    return True


def tables_in(annotation: Any) -> list[str]:
    """The tables of the models that a describable `annotation` speaks of."""
    tables: list[str] = []

    def note(cls: type) -> Schema:
        tables.append(getattr(cls, "__table__", ""))
        return _SOMETHING

    msgspec.json.schema(annotation, schema_hook=note)
    return tables


def _model_only(cls: Any) -> Schema:
    if isinstance(cls, type) and issubclass(cls, DotModel) and cls.__table__:
        return _SOMETHING
    raise NotImplementedError(f"{cls!r} is no data")
