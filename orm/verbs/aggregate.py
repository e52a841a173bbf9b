"""Aggregates: counts, sums, averages and extremes over rows, in groups."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from orm.builder import aggregate as build
from orm.builder.aggregate import Group, Value
from orm.builder.select import ROOT
from orm.builder.text import column
from orm.fields.numbers import IntegerField, NumberField
from orm.fields.relations import ToManyField
from orm.fields.times import DateField, DatetimeField
from orm.metadata import ModelMeta
from orm.projection import Projection
from orm.refusals import wrong
from orm.verbs.scope import Scope

if TYPE_CHECKING:
    from orm.model import DotModel

FUNCTIONS: Final = ("count", "sum", "avg", "min", "max")
UNITS: Final = ("year", "quarter", "month", "week", "day", "hour", "minute")

MAX_GROUPS = 10_000
"""Rows of an answer. More groups than this are no summary."""

MAX_KEYS = 10
MAX_VALUES = 50


async def aggregate(
    cls: "type[DotModel]",
    filter: Sequence[Any],
    group_by: str | Sequence[str] | None,
    values: Mapping[str, Sequence[str]],
    *,
    api: bool = False,
) -> list[dict[str, Any]]:
    """See DotModel.aggregate. `api`: a client of the API asks (see Scope)."""
    scope = Scope(cls, "read", api=api)
    group_by = named_fields(group_by, scope.place("group_by"))
    keys = [_key(scope, key, f"{scope.place('group_by')}/{index}") for index, key in enumerate(group_by)]
    _check_sizes(scope, group_by, values)
    projection, arguments = scope.project(tuple(path for path, _ in keys))
    groups = tuple(
        _group(scope.meta, projection, path, unit, f"{scope.place('group_by')}/{index}")
        for index, (path, unit) in enumerate(keys)
    )
    asked = [_value(scope, name, given) for name, given in values.items()]
    figures = tuple(value for value, _ in asked)
    parsed = scope.parse(filter)
    shapes = (parsed.shape, scope.rule)
    texts, shape = scope.registry.texts, ("aggregate", projection, groups, figures, *shapes)
    text = texts.get(shape) or texts.put(
        shape, build.aggregate(scope.meta, projection, groups, figures, shapes)
    )
    rows = await scope.db.run(text, [*arguments.joins, *parsed.values, *scope.rule_values, MAX_GROUPS])
    names = [*group_by, *values]
    answers = [dict(zip(names, row, strict=True)) for row in rows]
    for name, (_, convert) in zip(values, asked, strict=True):
        if convert is not None:
            for answer in answers:
                answer[name] = None if answer[name] is None else convert(answer[name])
    return answers


def named_fields(names: Any, pointer: str) -> Sequence[str]:
    """The keys that are named, one of them also by itself. Raises FilterError for what is no list."""
    if isinstance(names, str):
        return (names,)
    if names is not None and not isinstance(names, list | tuple):
        raise wrong(pointer, "type", "group_by is a list of fields")
    return names or ()


def _check_sizes(scope: Scope, group_by: Sequence[str], values: Any) -> None:
    if len(group_by) > MAX_KEYS:
        raise wrong(scope.place("group_by"), "too_many", f"at most {MAX_KEYS} fields to group by")
    if not isinstance(values, Mapping) or not values:
        raise wrong(scope.place("values"), "required", 'name a value, as in {"rows": ["count", "id"]}')
    if len(values) > MAX_VALUES:
        raise wrong(scope.place("values"), "too_many", f"at most {MAX_VALUES} values")
    for name in values:
        if name in group_by:
            raise wrong(f"{scope.place('values')}/{name}", "duplicate", f"{name!r} names a group already")


def _key(scope: Scope, key: Any, pointer: str) -> tuple[str, str | None]:
    """The path and the unit of a key such as "created_at:month"."""
    if not isinstance(key, str):
        raise wrong(pointer, "type", 'a key is a field name, or "field:unit" for a time')
    path, colon, unit = key.partition(":")
    if colon and unit not in UNITS:
        raise wrong(pointer, "unknown_unit", f"{unit!r} is no unit of time; there are {', '.join(UNITS)}")
    return path, unit if colon else None


def _group(meta: ModelMeta, projection: Projection, path: str, unit: str | None, pointer: str) -> Group:
    for name in path.split("."):
        if isinstance(meta.fields[name], ToManyField):
            raise wrong(
                pointer, "not_grouped", f"{meta.name}.{name} may be many rows, which cannot be grouped by"
            )
        meta = meta.targets.get(name, meta)
    field = projection.field(path)
    if not field.is_ordered:
        raise wrong(pointer, "not_grouped", f"{field.name} is {field.kind}, which cannot be grouped by")
    if unit is not None and not isinstance(field.of, DateField | DatetimeField):
        raise wrong(
            pointer, "operator_type", f"{unit!r} is for dates and times, {field.name} is {field.kind}"
        )
    return Group(projection.column(path), unit, isinstance(field.of, DateField))


Convert = Callable[[Any], int | float]
"""Makes a figure over whole numbers one of Python's, where PostgreSQL answers with a numeric."""


def _value(scope: Scope, name: str, given: Any) -> tuple[Value, Convert | None]:
    pointer = f"{scope.place('values')}/{name}"
    if not isinstance(given, list | tuple) or len(given) != 2:
        raise wrong(pointer, "type", 'a value is [function, field], as in ["sum", "price"]')
    function, field_name = given
    if function not in FUNCTIONS:
        raise wrong(f"{pointer}/0", "unknown_function", f"{function!r}: there are {', '.join(FUNCTIONS)}")
    field = scope.readable_field(field_name, f"{pointer}/1")
    if function in ("sum", "avg") and not isinstance(field.of, NumberField):
        raise wrong(
            f"{pointer}/0", "operator_type", f"{function!r} is for numbers, {field_name} is {field.kind}"
        )
    if function in ("min", "max") and (
        not field.is_ordered or field.of.kind in ("boolean", "uuid", "binary")
    ):
        raise wrong(f"{pointer}/0", "operator_type", f"{function!r} is not for {field.kind} fields")
    plain = FUNCTIONS[FUNCTIONS.index(function)]
    convert = {"sum": int, "avg": float}.get(plain) if isinstance(field.of, IntegerField) else None
    return Value(plain, column(ROOT, field.name)), convert
