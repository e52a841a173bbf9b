"""From rights to what may be done: the answer for everybody with the same roles, made once and filled in for
each asker. Pure.

The order of reasons: guards of modules bind everybody; administrators pass all else; others need an access
list (the anonymous user a table that the route names), and then the rules: one of those of their roles,
where there are any, and all of those without a role. What cannot be understood denies, and says so.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from app.core.access import AccessSession, Anonymous
from orm.access import Grant, Operation
from orm.errors import AccessDenied, Problem
from orm.filters.parse import EVERYTHING, BoundFilter
from orm.metadata import ModelMeta
from services.security.domains import explained, is_lasting, parse_domain
from services.security.rights import Rights, RuleRow

Guards = Mapping[str, Sequence[Any]]
"""By table, a filter that its rows must pass for whoever asks; in it `{{user_id}}` stands for the asker."""

NO_GUARDS: Final[Guards] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Circle:
    """Askers who have the same rights. `tables` is what a public route names for the anonymous user, None
    for users."""

    is_admin: bool = False
    role_ids: frozenset[int] = frozenset()
    role_codes: frozenset[str] = frozenset()
    tables: Mapping[str, frozenset[Operation]] | None = None

    @classmethod
    def of(cls, asker: AccessSession | Anonymous) -> "Circle":
        """The circle of one asker."""
        if isinstance(asker, Anonymous):
            return cls(tables=asker.tables)
        return cls(asker.is_admin, asker.role_ids, asker.role_codes)


@dataclass(frozen=True, slots=True)
class Template:
    """What a circle may do with a model in one operation: denied for a reason, or a grant whose rule may
    have variables; one that `is_lasting` is the same for an asker at any time. `flaws` are sentences about
    rules that cannot be used, which is a denial, too."""

    grant: Grant
    is_template: bool = False
    is_lasting: bool = True
    denial: str | None = None
    flaws: tuple[str, ...] = ()


class Templates:
    """Makes templates of one snapshot of rights."""

    def __init__(self, rights: Rights, guards: Guards = NO_GUARDS) -> None:
        self._rights = rights
        self._guards = guards

    def make(self, circle: Circle, meta: ModelMeta, operation: Operation) -> Template:
        """The template of a circle. Never raises for rights that cannot be used: they deny."""
        work = _Work(self._rights, self._guards, circle)
        try:
            rule = work.rule(meta, operation)
        except AccessDenied as denied:
            return Template(Grant(), denial=denied.detail, flaws=tuple(work.flaws))
        if work.flaws:
            # Somewhere behind `allowed`, perhaps below a `not`: what is not understood opens nothing.
            return Template(Grant(), denial=_denial(meta, operation), flaws=tuple(work.flaws))
        grant = Grant(rule, hidden_fields(circle, meta, operation))
        if rule is None or not rule.is_template:
            return Template(grant)
        return Template(grant, is_template=True, is_lasting=is_lasting(rule))


class _Work:
    """The making of one template: what was asked on the way, and what could not be understood."""

    def __init__(self, rights: Rights, guards: Guards, circle: Circle) -> None:
        self.flaws: list[str] = []
        self._rights = rights
        self._guards = guards
        self._circle = circle
        self._asked: list[tuple[str, str]] = []

    def rule(self, meta: ModelMeta, operation: Operation) -> BoundFilter | None:
        """What a row must pass, None where every row does. Raises AccessDenied."""
        question = (meta.table, operation)
        if question in self._asked:
            self.flaws.append(f"rules ask each other without end: {_way([*self._asked, question])}")
            raise AccessDenied(_denial(meta, operation))
        self._asked.append(question)
        try:
            parts = list(self._parts(meta, operation))
        finally:
            self._asked.pop()
        parts = [part for part in parts if part.shape != EVERYTHING]
        return _joined("and", parts) if parts else None

    def _parts(self, meta: ModelMeta, operation: Operation) -> Iterator[BoundFilter]:
        if meta.table in self._guards:
            yield parse_domain(meta, self._guards[meta.table], allowed=self._allowed)
        if self._circle.is_admin:
            return
        self._check_list(meta, operation)
        rules = self._rights.rules(meta.table, self._circle.role_ids, operation)
        parsed = [(rule, self._parsed(meta, operation, rule)) for rule in rules]
        yield from (part for rule, part in parsed if rule.role_id is None)
        of_roles = [part for rule, part in parsed if rule.role_id is not None]
        if of_roles and all(part.shape != EVERYTHING for part in of_roles):
            yield _joined("or", of_roles)

    def _allowed(self, meta: ModelMeta, operation: Operation) -> Grant:
        return Grant(self.rule(meta, operation))

    def _check_list(self, meta: ModelMeta, operation: Operation) -> None:
        if self._circle.tables is not None:
            is_allowed = operation in self._circle.tables.get(meta.table, ())
        else:
            lists = self._rights.lists(meta.table, self._circle.role_ids)
            is_allowed = any(one.allows(operation) for one in lists)
        if not is_allowed:
            raise AccessDenied(f"You have no right to {operation} {meta.table}.")

    def _parsed(self, meta: ModelMeta, operation: Operation, rule: RuleRow) -> BoundFilter:
        try:
            return parse_domain(meta, rule.domain, allowed=self._allowed)
        except Problem as problem:
            self.flaws.append(explained(rule, problem))
            raise AccessDenied(_denial(meta, operation)) from problem


def hidden_fields(circle: Circle, meta: ModelMeta, operation: Operation) -> frozenset[str]:
    """The fields that a circle may not read, or not write in this operation. Nobody writes while deleting."""
    if circle.is_admin or operation == "delete":
        return frozenset()
    return frozenset(
        name
        for name, field in meta.fields.items()
        if (codes := getattr(field, f"role_{operation}")) and circle.role_codes.isdisjoint(codes)
    )


def _denial(meta: ModelMeta, operation: Operation) -> str:
    return (
        f"A rule on {meta.table} cannot be used, so nobody it binds can {operation}: tell an administrator."
    )


def _way(questions: Sequence[tuple[str, str]]) -> str:
    """The questions from the first one that comes back, in words."""
    start = questions.index(questions[-1])
    return " -> ".join(f"{table} {operation}" for table, operation in questions[start:])


def _joined(word: str, parts: Sequence[BoundFilter]) -> BoundFilter:
    if len(parts) == 1:
        return parts[0]
    values = tuple(value for part in parts for value in part.values)
    return BoundFilter((word, *(part.shape for part in parts)), values)
