"""A naive evaluator of rights: roles, access lists and rules over rows that are dictionaries.

Written from the description of the security model alone, so that it can be asked whether the policy and the
ORM are right. It knows nothing of SQL, of templates or of caches, and shares no code with them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.support.filter_oracle import COMPLEMENTS, Relation, Row, Tables

_ORDER: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "=": lambda one, other: one == other,
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
    "in": lambda one, other: one in other,
}

Sight = Callable[[str], frozenset[int] | None]
"""By table the ids that exist for whoever follows a path there; None: all of them."""


class Denied(Exception):
    """What is asked for is refused: no right on a table, or a field that is hidden."""


@dataclass(frozen=True)
class Said:
    """A rule. Without a role it binds everybody."""

    table: str
    role: int | None
    operations: frozenset[str]
    domain: Sequence[Any]
    active: bool = True


@dataclass(frozen=True)
class RightsOracle:
    """What one asker may do. `bases` says which role is based on which; `lists` what a role may do with a
    table; `hidden` which roles a field is kept for, and `private` which fields nobody reads over the API."""

    tables: Tables
    relations: Mapping[tuple[str, str], Relation]
    bases: Iterable[tuple[int, int]]
    lists: Mapping[tuple[int, str], frozenset[str]]
    rules: Sequence[Said]
    kept_for: Mapping[tuple[str, str], int]
    private: frozenset[tuple[str, str]]
    direct: frozenset[int]
    user_id: int
    now: Any
    is_admin: bool = False

    # -- roles

    @property
    def roles(self) -> frozenset[int]:
        """The roles of the asker, and all that they are based on."""
        found = set(self.direct)
        while more := {base for role, base in self.bases if role in found and base not in found}:
            found |= more
        return frozenset(found)

    # -- rows

    def ids(self, table: str, operation: str) -> frozenset[int]:
        """The ids of the rows that he may touch. Raises Denied when he may not do this to the table at
        all."""
        if not self.is_admin and self._leads_back(table, operation, ()):
            raise Denied
        return frozenset(key for key, row in self.tables[table].items() if self.passes(table, operation, row))

    def passes(self, table: str, operation: str, row: Row) -> bool:
        """Whether he may touch that row, as far as its values say. Raises Denied."""
        if self.is_admin:
            return True
        rules = self.binding(table, operation)
        of_roles = [rule for rule in rules if rule.role is not None]
        return all(self._fits(rule, row) for rule in rules if rule.role is None) and (
            not of_roles or any(self._fits(rule, row) for rule in of_roles)
        )

    def binding(self, table: str, operation: str) -> list[Said]:
        """The rules that bind him there. Raises Denied without an access list."""
        if not any(operation in self.lists.get((role, table), ()) for role in self.roles):
            raise Denied
        return [
            rule
            for rule in self.rules
            if rule.active and rule.table == table and operation in rule.operations
            if rule.role is None or rule.role in self.roles
        ]

    def _fits(self, rule: Said, row: Row) -> bool:
        return all(self._holds(rule.table, row, one, lambda _: None) for one in rule.domain)

    def _leads_back(self, table: str, operation: str, way: tuple[tuple[str, str], ...]) -> bool:
        """Whether the rules ask each other in a circle, which denies."""
        if (table, operation) in way:
            return True
        try:
            rules = self.binding(table, operation)
        except Denied:
            return False
        return any(
            self._leads_back(*asked, (*way, (table, operation)))
            for rule in rules
            for asked in self._questions(rule.table, rule.domain)
        )

    def _questions(self, table: str, conditions: Iterable[Any]) -> Iterator[tuple[str, str]]:
        """The tables and operations that conditions ask about by `allowed`."""
        for head, *rest in conditions:
            if head in ("and", "or", "not"):
                yield from self._questions(table, rest)
                continue
            last, name = self._end(table, head)
            if rest[0] == "allowed":
                yield self.relations[last, name].target, rest[1]
            elif rest[0] in ("some", "none"):
                yield from self._questions(self.relations[last, name].target, rest[1])

    # -- what a client asks

    def found(self, table: str, filter: Sequence[Any]) -> frozenset[int]:
        """The ids that a client's search finds. Raises Denied."""
        visible = self.ids(table, "read")
        self._check_names(table, filter)
        rows = self.tables[table]
        return frozenset(
            key for key in visible if all(self._holds(table, rows[key], one, self._seen) for one in filter)
        )

    def may_name(self, table: str, name: str) -> bool:
        """Whether a client may name the field."""
        kept_for = self.kept_for.get((table, name))
        is_hidden = kept_for is not None and not self.is_admin and kept_for not in self.roles
        return not is_hidden and (table, name) not in self.private

    def _seen(self, table: str) -> frozenset[int] | None:
        return self.ids(table, "read")

    def _check_names(self, table: str, conditions: Iterable[Any]) -> None:
        for head, *rest in conditions:
            if head in ("and", "or", "not"):
                self._check_names(table, rest)
                continue
            here, names = table, head.split(".")
            for place, name in enumerate(names, 1):
                if not self.may_name(here, name):
                    raise Denied
                relation = self.relations.get((here, name))
                is_followed = place < len(names) or rest[0] in ("some", "none")
                if relation is not None and (is_followed or relation.is_to_many):
                    here = relation.target
                    self.ids(here, "read")  # no right to read what the path leads to: denied
            if rest[0] in ("some", "none"):
                self._check_names(here, rest[1])

    # -- conditions

    def _holds(self, table: str, row: Row, condition: Sequence[Any], sight: Sight) -> bool:
        head, *rest = condition
        if head == "and":
            return all(self._holds(table, row, one, sight) for one in rest)
        if head == "or":
            return any(self._holds(table, row, one, sight) for one in rest)
        if head == "not":
            return not self._holds(table, row, rest[0], sight)
        op, value = rest[0], rest[1] if len(rest) > 1 else None
        if op in ("=", "!=") and value is None:
            op = "is null" if op == "=" else "is not null"
        positive = COMPLEMENTS.get(op, op)
        found = any(
            self._matches(last, one, name, positive, value, sight)
            for last, one, name in self._ends(table, row, head.split("."), sight)
        )
        return found if positive == op else not found

    def _matches(self, table: str, row: Row, name: str, op: str, value: Any, sight: Sight) -> bool:
        relation = self.relations.get((table, name))
        if op == "some":
            assert relation is not None
            return any(
                all(self._holds(relation.target, other, one, sight) for one in value)
                for other in self._led_to(relation, row, sight)
            )
        if op == "allowed":
            assert relation is not None
            try:
                return row[name] is not None and row[name] in self.ids(relation.target, value)
            except Denied:
                return False
        if relation is not None and relation.is_to_many:
            return any(
                op == "is not null" or _compare(other["id"], op, self._known(value))
                for other in self._led_to(relation, row, sight)
            )
        return _compare(row[name], op, self._known(value))

    def _ends(
        self, table: str, row: Row, path: Sequence[str], sight: Sight
    ) -> Iterator[tuple[str, Row, str]]:
        """The rows that the last name of a path is about, with their table and that name."""
        if len(path) == 1:
            yield table, row, path[0]
            return
        relation = self.relations[table, path[0]]
        for other in self._led_to(relation, row, sight):
            yield from self._ends(relation.target, other, path[1:], sight)

    def _led_to(self, relation: Relation, row: Row, sight: Sight) -> Iterator[Row]:
        seen = sight(relation.target)
        for key in relation.find(self.tables, row):
            if seen is None or key in seen:
                yield self.tables[relation.target][key]

    def _end(self, table: str, path: str) -> tuple[str, str]:
        *hops, name = path.split(".")
        for hop in hops:
            table = self.relations[table, hop].target
        return table, name

    def _known(self, value: Any) -> Any:
        """A value with the variables of rules filled in."""
        if isinstance(value, list):
            return [self._known(one) for one in value]
        if value == "{{user_id}}":
            return self.user_id
        if value == "{{now}}":
            return self.now
        return sorted(self.roles) if value == "{{role_ids}}" else value


def _compare(value: Any, op: str, given: Any) -> bool:
    if op == "in":
        return value in given
    if value is None:
        return False
    if op == "is not null":
        return True
    if op == "between":
        return bool(given[0] <= value <= given[1])
    return bool(_ORDER[op](value, given))
