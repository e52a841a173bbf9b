"""The language of searches as schemas: paths of fields, filters, and what is asked of relations.

To the types that decode them a filter is a list of anything: the ORM reads it along the model. Here its
grammar is told, the same for all models; that a field exists and takes the value is not.
"""

from typing import Any, Final

from app.crud.bounds import LARGEST_NESTED_LIMIT, NESTED_LIMIT
from app.openapi.schemas import Schema, reference
from orm.filters.parse import HTTP_LIMITS, OPERATORS
from orm.verbs.aggregate import FUNCTIONS, UNITS

FILTER: Final = "Filter"

_NAME: Final = "[a-z_][a-z0-9_]*"
_PATH: Final = rf"{_NAME}(\.{_NAME})*"

FIELD: Final[Schema] = {"type": "string", "pattern": f"^{_PATH}$"}
"""The name of a field, or a path to one through relations."""

ORDER: Final[Schema] = {"type": "string", "pattern": f"^-?{_PATH}$"}
"""The same, with a minus for descending."""

_CONDITION: Final = "FilterCondition"
_REFINEMENT: Final = "Refinement"


def components() -> dict[str, Schema]:
    """Filter, and what it and `nested` are made of."""
    return {
        FILTER: {
            "description": "Conditions that all hold.",
            "type": "array",
            "items": reference(_CONDITION),
            "examples": [[["name", "ilike", "%milk%"], ["or", ["active", "=", True], ["id", "in", [7, 8]]]]],
        },
        _CONDITION: _condition(),
        _REFINEMENT: _refinement(),
    }


def told(properties: dict[str, Any]) -> None:
    """Make the properties of a search, an aggregate, or what else has a filter, say what the ORM reads."""
    if "filter" in properties:
        properties["filter"] = reference(FILTER) | {"default": []}
    if "nested" in properties:
        properties["nested"] = _nested() | {"default": {}}
    if "fields" in properties:
        properties["fields"] = _fields()
    if "order" in properties:
        properties["order"] = _order()
    if "group_by" in properties:
        unit = f"(:({'|'.join(UNITS)}))?"
        group = {"type": "string", "pattern": f"^{_PATH}{unit}$"}
        properties["group_by"] |= {"items": group}
        figure = _tuple({"enum": list(FUNCTIONS)}, FIELD)
        properties["values"] |= {"additionalProperties": figure, "minProperties": 1}


def _condition() -> Schema:
    whole = '`[field, operator, value]`, `["or", c1, c2]`, `["and", c1, c2]` or `["not", c]`.'
    most = (
        f"At most {HTTP_LIMITS.conditions}, {HTTP_LIMITS.depth} deep, with {HTTP_LIMITS.values} values each."
    )
    # Not as a reference to itself: what makes examples or types of a document seldom finds the end of a list
    # that must have itself in it.
    inner: Schema = {"type": "array", "minItems": 2, "description": "A condition like this one."}
    return {
        "description": f"{whole} {most}",
        "anyOf": [
            _tuple(FIELD, {"enum": list(OPERATORS)}, {"description": "What the operator compares with."}),
            _tuple(FIELD, {"enum": ["is not null", "is null"]}),
            {"type": "array", "prefixItems": [{"enum": ["and", "or"]}], "items": inner, "minItems": 2},
            _tuple({"const": "not"}, inner),
        ],
    }


def _tuple(*items: Schema) -> Schema:
    return {"type": "array", "prefixItems": list(items), "minItems": len(items), "maxItems": len(items)}


def _refinement() -> Schema:
    limit = {"type": "integer", "minimum": 1, "maximum": LARGEST_NESTED_LIMIT, "default": NESTED_LIMIT}
    return {
        "description": "What is asked of a relation; of one that leads to one row only its `fields`.",
        "type": "object",
        "properties": {
            "fields": _fields(),
            "filter": reference(FILTER),
            "order": _order(),
            "limit": limit | {"description": "Rows for each row that they hang on."},
            "nested": _nested(),
        },
        "additionalProperties": False,
    }


def _nested() -> Schema:
    return {
        "description": "By relation, or path to one.",
        "type": "object",
        "propertyNames": FIELD,
        "additionalProperties": reference(_REFINEMENT),
    }


def _fields() -> Schema:
    return {"anyOf": [{"type": "array", "items": FIELD}, {"type": "null"}]}


def _order() -> Schema:
    return {"anyOf": [ORDER, {"type": "array", "items": ORDER}, {"type": "null"}]}
