"""From the filter language to a shape and its values.

A filter is a list of conditions joined by AND. Parsing checks every name, operator and value and yields
two things apart: the shape, a nested tuple that says everything but the values, and the values in the
order in which the shape uses them. The shape is hashable, so the SQL text is made once for each shape and
cached (builder/cache.py).

Complements (`!=`, `not in`, ...) are kept as "not the positive", so that they match exactly the rows that
the positive does not, nulls included.

A filter that is parsed once and used for many askers, a row rule, has Variables in the place of values that
are known only then: its BoundFilter is a template, and `bound` makes the filter of one asker of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from orm.access import Grant, Operation
from orm.errors import AccessDenied, ValidationError
from orm.fields.base import Field
from orm.fields.others import JSONFieldType
from orm.fields.relations import Many2oneField, ToManyField
from orm.metadata import ModelMeta
from orm.refusals import hidden_field, unknown_field, wrong

Shape = tuple[Any, ...]
"""("and"|"or", shape...), ("not", shape), ("cmp", column, op), ("like", column, op), ("null", column),
("in", column, has_null), ("between", column), ("contains", column), ("via", relation, shape, rule) for a
dotted path, ("never",)."""

Related = Callable[[ModelMeta, Operation], Grant]

EVERYTHING: Final[Shape] = ("and",)
NEVER: Final[Shape] = ("or",)

_COMPLEMENTS: Final = {
    "!=": "=",
    "not in": "in",
    "not like": "like",
    "not ilike": "ilike",
    "not between": "between",
    "is null": "is not null",
    "none": "some",
}
_COMPARISONS: Final = frozenset({"=", "<", "<=", ">", ">="})
_POSITIVES: Final = _COMPARISONS | {
    "in",
    "like",
    "ilike",
    "between",
    "contains",
    "is not null",
    "allowed",
    "some",
}
OPERATORS: Final = tuple(sorted(_POSITIVES | set(_COMPLEMENTS)))


@dataclass(frozen=True, slots=True)
class FilterLimits:
    """How much a filter may ask for. `values` is the length of a list of values; None means no bound."""

    depth: int = 10
    conditions: int = 200
    values: int | None = None


@dataclass(frozen=True, slots=True)
class Variable:
    """A value in a filter that is told when the filter is used. `sample` is any value that it may have: a
    field that it does not fit refuses it when the filter is parsed."""

    name: str
    sample: Any


@dataclass(frozen=True, slots=True)
class Late:
    """The place of a value in a template: `made` gives it from the values of the variables."""

    made: Callable[[Mapping[str, Any]], Any]


class BoundFilter(msgspec.Struct, frozen=True):
    """A parsed filter: what it looks like, and the values in the order of their use."""

    shape: Shape = EVERYTHING
    values: tuple[Any, ...] = ()

    @property
    def is_template(self) -> bool:
        """Whether it has variables: then it must be `bound` before its values can be sent."""
        return any(isinstance(value, Late) for value in self.values)

    def bound(self, variables: Mapping[str, Any]) -> "BoundFilter":
        """The same filter with the values of the variables filled in. Raises KeyError for one that is
        missing."""
        values = (value.made(variables) if isinstance(value, Late) else value for value in self.values)
        return BoundFilter(self.shape, tuple(values))


PYTHON_LIMITS: Final = FilterLimits()
HTTP_LIMITS: Final = FilterLimits(values=1000)


def parse_filter(
    meta: ModelMeta,
    filter: Sequence[Any],
    *,
    hidden: frozenset[str] = frozenset(),
    related: Related | None = None,
    allowed: Related | None = None,
    limits: FilterLimits = PYTHON_LIMITS,
    pointer: str = "",
) -> BoundFilter:
    """The shape and values of `filter` on the model of `meta`.

    `hidden` names fields that the asker may not read. `related` gives the asker's grant on the models that
    dotted paths lead to; None asks for nothing (rules themselves, the program's own work). `allowed` gives
    the grant that the operator of that name asks about, where it is another one than `related`. `pointer`
    is where the filter stands in the caller's input. Raises FilterError (with pointers), or AccessDenied for
    a hidden field."""
    if not filter:
        refuse_no_list(filter, pointer)
        return _ALL
    parser = _Parser(related, allowed or related, limits)
    shape = parser.conditions(meta, filter, hidden, pointer, 1)
    return BoundFilter(shape, tuple(parser.values))


_ALL: Final = BoundFilter()


def refuse_no_list(filter: Any, pointer: str) -> None:
    """Raise FilterError for what is empty and yet no empty filter, such as an object; None is one."""
    if filter is not None and not isinstance(filter, (list, tuple)):
        raise wrong(pointer, "type", "a filter is a list of conditions")


class _Parser:
    """The state of one parse: the values met so far, and how many conditions."""

    def __init__(self, related: Related | None, allowed: Related | None, limits: FilterLimits) -> None:
        self.related = related
        self.allowed = allowed
        self.limits = limits
        self.values: list[Any] = []
        self.count = 0
        self.depth = 1

    def conditions(
        self, meta: ModelMeta, filter: Any, hidden: frozenset[str], pointer: str, depth: int
    ) -> Shape:
        if not isinstance(filter, (list, tuple)) or not filter:
            raise wrong(pointer, "type", "a filter is a list of conditions")
        if isinstance(filter[0], str):
            raise wrong(
                pointer,
                "type",
                "a filter is a list of conditions: write [[field, op, value]], in one more pair of brackets",
            )
        shapes = [
            self.condition(meta, item, hidden, f"{pointer}/{index}", depth)
            for index, item in enumerate(filter)
        ]
        return shapes[0] if len(shapes) == 1 else ("and", *shapes)

    def condition(
        self, meta: ModelMeta, item: Any, hidden: frozenset[str], pointer: str, depth: int
    ) -> Shape:
        if depth > self.limits.depth:
            raise wrong(pointer, "too_deep", f"the filter is nested deeper than {self.limits.depth} levels")
        if not isinstance(item, (list, tuple)) or not item or not isinstance(item[0], str):
            raise wrong(
                pointer,
                "type",
                'a condition is [field, op, value], ["or", ...], ["and", ...] or ["not", condition]',
            )
        head = item[0]
        if head in ("and", "or"):
            parts = [
                self.condition(meta, part, hidden, f"{pointer}/{n}", depth + 1)
                for n, part in enumerate(item[1:], 1)
            ]
            if not parts:
                raise wrong(pointer, "type", f'["{head}"] names no condition')
            return (head, *parts)
        if head == "not":
            if len(item) != 2:
                raise wrong(pointer, "type", '["not", condition] takes exactly one condition')
            return ("not", self.condition(meta, item[1], hidden, f"{pointer}/1", depth + 1))
        self.depth = depth
        self.count += 1
        if self.count > self.limits.conditions:
            raise wrong(pointer, "too_many", f"the filter has more than {self.limits.conditions} conditions")
        return self.comparison(meta, item, hidden, pointer)

    def comparison(self, meta: ModelMeta, item: Sequence[Any], hidden: frozenset[str], pointer: str) -> Shape:
        path, op, value = self._split(item, pointer)
        if value is None and op in ("=", "!="):
            op = "is null" if op == "=" else "is not null"
        positive = _COMPLEMENTS.get(op, op)
        if positive not in _POSITIVES:
            raise wrong(
                f"{pointer}/1", "unknown_operator", f"{op!r} is no operator; there are {', '.join(OPERATORS)}"
            )
        shape = self._walk(meta, path.split("."), positive, value, hidden, pointer)
        if positive == op:
            return shape
        return shape[1] if shape[0] == "not" else ("not", shape)

    def _split(self, item: Sequence[Any], pointer: str) -> tuple[str, str, Any]:
        if len(item) == 2 and item[1] in ("is null", "is not null"):
            return item[0], item[1], None
        if len(item) != 3 or not isinstance(item[1], str):
            raise wrong(pointer, "type", "a condition is [field, op, value]")
        if item[1] in ("is null", "is not null") and item[2] is not None and item[2] is not True:
            raise wrong(
                f"{pointer}/2", "type", f"{item[1]!r} takes no value; its complement says the opposite"
            )
        return item[0], str.__str__(item[1]), item[2]  # as SQL a subclass could read differently

    def _walk(
        self, meta: ModelMeta, path: Sequence[str], op: str, value: Any, hidden: frozenset[str], pointer: str
    ) -> Shape:
        name = path[0]
        field = meta.fields.get(name)
        if field is None:
            raise unknown_field(meta, name, f"{pointer}/0")
        if name in hidden:
            raise hidden_field(meta, name, f"{pointer}/0")
        if len(path) == 1 and op == "some":
            return self._some(meta, field, value, pointer)
        if len(path) == 1 and isinstance(field, ToManyField):
            return self._any_of(meta, name, op, value, pointer)
        if len(path) == 1:
            return self._leaf(meta, field, op, value, pointer)
        target = meta.targets.get(name)
        if target is None:
            raise wrong(
                f"{pointer}/0",
                "not_a_relation",
                f"{meta.name}.{name} is no relation, nothing lies behind its dot",
            )
        if len(path) > self.limits.depth:
            raise wrong(f"{pointer}/0", "too_deep", f"the path is longer than {self.limits.depth} fields")
        grant = self.related(target, "read") if self.related else None
        inner = self._walk(target, path[1:], op, value, grant.hidden if grant else frozenset(), pointer)
        return ("via", name, inner, self._rule(grant))

    def _some(self, meta: ModelMeta, field: Field, value: Any, pointer: str) -> Shape:
        """There is a related row that passes a whole filter, every condition of it on the same row."""
        target = meta.targets.get(field.name)
        if target is None:
            raise wrong(
                f"{pointer}/1", "operator_type", f"'some' is for relations, {field.name} is {field.kind}"
            )
        grant = self.related(target, "read") if self.related else None
        hidden = grant.hidden if grant else frozenset()
        depth = self.depth
        is_empty = isinstance(value, (list, tuple)) and not value
        inner = EVERYTHING if is_empty else self.conditions(target, value, hidden, f"{pointer}/2", depth + 1)
        self.depth = depth
        return ("via", field.name, inner, self._rule(grant))

    def _any_of(self, meta: ModelMeta, name: str, op: str, value: Any, pointer: str) -> Shape:
        """A to-many relation compared by itself means the ids of its rows; null means that there is
        none."""
        if op == "is not null":
            grant = self.related(meta.targets[name], "read") if self.related else None
            return ("via", name, EVERYTHING, self._rule(grant))
        if op not in ("=", "in"):
            raise wrong(
                f"{pointer}/1",
                "operator_type",
                f"{op!r} is not for to-many relations; name a field of {name}",
            )
        return self._walk(meta, [name, "id"], op, value, frozenset(), pointer)

    def _rule(self, grant: Grant | None) -> Shape | None:
        if grant is None or grant.rule is None:
            return None
        self.values.extend(grant.rule.values)
        return grant.rule.shape

    def _leaf(self, meta: ModelMeta, field: Field, op: str, value: Any, pointer: str) -> Shape:
        if op == "is not null":
            return ("not", ("null", field.name))
        if op == "allowed":
            return self._allowed(meta, field, value, pointer)
        if value is None:
            raise wrong(f"{pointer}/2", "type", f"{op!r} takes no null")
        if op == "in":
            return self._in(field, value, pointer)
        if op == "between":
            return self._between(field, value, pointer)
        if op in ("like", "ilike"):
            return self._like(field, op, value, pointer)
        if op == "contains":
            if not isinstance(field.of, JSONFieldType):
                raise wrong(
                    f"{pointer}/1",
                    "operator_type",
                    f"'contains' is for JSON fields, {field.name} is {field.kind}",
                )
            self.values.append(self._value(field, value, f"{pointer}/2"))
            return ("contains", field.name)
        if op != "=":
            self._check_order(field, op, pointer)
        self.values.append(self._value(field, value, f"{pointer}/2"))
        return ("cmp", field.name, op)

    def _in(self, field: Field, value: Any, pointer: str) -> Shape:
        if isinstance(value, Variable):
            return self._in_variable(field, value, pointer)
        if not isinstance(value, (list, tuple, set, frozenset)):
            raise wrong(f"{pointer}/2", "type", "'in' takes a list of values")
        if self.limits.values is not None and len(value) > self.limits.values:
            raise wrong(
                f"{pointer}/2", "too_many", f"a list of values has at most {self.limits.values} of them"
            )
        given = list(value)
        values = [
            self._value(field, one, f"{pointer}/2/{n}") for n, one in enumerate(given) if one is not None
        ]
        self.values.append(_late_list(values) if any(isinstance(one, Late) for one in values) else values)
        return ("in", field.name, len(values) < len(given))

    def _in_variable(self, field: Field, variable: Variable, pointer: str) -> Shape:
        if not isinstance(variable.sample, (list, tuple)):
            raise wrong(f"{pointer}/2", "type", f"'in' takes a list of values, {variable.name} is one value")
        for one in variable.sample:
            self._value(field, one, f"{pointer}/2")
        self.values.append(Late(lambda given: [field.to_filter(one) for one in given[variable.name]]))
        return ("in", field.name, False)

    def _between(self, field: Field, value: Any, pointer: str) -> Shape:
        self._check_order(field, "between", pointer)
        if not isinstance(value, (list, tuple)) or len(value) != 2 or None in value:
            raise wrong(f"{pointer}/2", "type", "'between' takes two values, the lower first")
        self.values.extend(self._value(field, one, f"{pointer}/2/{n}") for n, one in enumerate(value))
        return ("between", field.name)

    def _like(self, field: Field, op: str, value: Any, pointer: str) -> Shape:
        if not field.is_text:
            raise wrong(f"{pointer}/1", "operator_type", f"{op!r} is for text, {field.name} is {field.kind}")
        if isinstance(value, Variable):
            raise wrong(f"{pointer}/2", "type", f"{op!r} takes a pattern, not the variable {value.name}")
        pattern = self._value(field, value, f"{pointer}/2")
        if (len(pattern) - len(pattern.rstrip("\\"))) % 2:
            raise wrong(
                f"{pointer}/2", "pattern", "the pattern ends with a backslash that escapes nothing; write two"
            )
        self.values.append(pattern)
        return ("like", field.name, op)

    def _allowed(self, meta: ModelMeta, field: Field, value: Any, pointer: str) -> Shape:
        if not isinstance(field, Many2oneField):
            raise wrong(
                f"{pointer}/1",
                "operator_type",
                f"'allowed' is for to-one relations, {field.name} is {field.kind}",
            )
        if value not in ("read", "update", "delete"):
            raise wrong(f"{pointer}/2", "type", '\'allowed\' takes "read", "update" or "delete"')
        target = meta.targets[field.name]
        if self.allowed is None:
            return ("not", ("null", field.name))
        try:
            grant = self.allowed(target, value)
        except AccessDenied:
            return NEVER
        return ("via", field.name, EVERYTHING, self._rule(grant))

    def _check_order(self, field: Field, op: str, pointer: str) -> None:
        if not field.is_ordered:
            raise wrong(
                f"{pointer}/1", "operator_type", f"{op!r} is not for {field.kind} fields such as {field.name}"
            )

    def _value(self, field: Field, value: Any, pointer: str) -> Any:
        if isinstance(value, Variable):
            self._value(field, value.sample, pointer)
            return Late(lambda given: field.to_filter(given[value.name]))
        try:
            return field.to_filter(value)
        except ValidationError as error:
            raise wrong(pointer, "type", f"{field.name}: {error.errors[0].message}") from None
        except ValueError as error:
            raise wrong(pointer, "type", f"{field.name}: {error}") from None


def _late_list(parts: list[Any]) -> Late:
    return Late(lambda given: [one.made(given) if isinstance(one, Late) else one for one in parts])
