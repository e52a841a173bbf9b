"""All rights as they were at one moment: roles, access lists and rules, in memory.

Pure but for `read_rights`. What is in here is never changed: when rights change, another snapshot is read.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from orm.access import Operation
from orm.database import Database
from sql import statements

_SQL = statements("security/rights")


class RoleRow(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A role."""

    id: int
    code: str


class ListRow(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An access list: what a role may do with a table."""

    id: int
    role_id: int
    table: str
    can_create: bool
    can_read: bool
    can_update: bool
    can_delete: bool

    def allows(self, operation: Operation) -> bool:
        """Whether the role may do this."""
        return bool(getattr(self, f"can_{operation}"))


class RuleRow(msgspec.Struct, frozen=True, array_like=True):
    """An active rule. Whoever writes the table by hand may have put anything into `domain` and
    `operations`."""

    id: int
    name: str
    table: str
    role_id: int | None
    domain: Any
    operations: Any

    def binds(self, operation: Operation) -> bool:
        """Whether the rule is about this operation. One that does not say which is about all of them."""
        return not isinstance(self.operations, list) or operation in self.operations


class Rights:
    """A snapshot. `revision` tells two of them apart: it grows with each change of any right."""

    def __init__(
        self,
        *,
        revision: int = 0,
        roles: Iterable[RoleRow] = (),
        closure: Iterable[tuple[int, int]] = (),
        lists: Iterable[ListRow] = (),
        rules: Iterable[RuleRow] = (),
    ) -> None:
        self.revision = revision
        self.codes: Mapping[int, str] = {role.id: role.code for role in roles}
        """The code of each role, by id."""
        bases: dict[int, set[int]] = {}
        for role_id, based_id in closure:
            bases.setdefault(role_id, set()).add(based_id)
        self._bases = bases
        self._lists: dict[str, list[ListRow]] = {}
        for one in lists:
            self._lists.setdefault(one.table, []).append(one)
        self._rules: dict[str, list[RuleRow]] = {}
        for rule in rules:
            self._rules.setdefault(rule.table, []).append(rule)

    def roles_of(self, direct_ids: Iterable[int]) -> tuple[frozenset[int], frozenset[str]]:
        """The ids and codes of roles and of all that they are based on. A role that is not known here gives
        no rights."""
        ids = frozenset(based for role in direct_ids for based in self._bases.get(role, ()))
        return ids, frozenset(self.codes[role] for role in ids)

    def bases(self, role_id: int) -> frozenset[int]:
        """The ids of the roles whose rights a role has, its own included."""
        return frozenset(self._bases.get(role_id, ()))

    def lists(self, table: str, role_ids: frozenset[int]) -> list[ListRow]:
        """The access lists of these roles on a table, in the order of their ids."""
        return [one for one in self._lists.get(table, ()) if one.role_id in role_ids]

    def rules(self, table: str, role_ids: frozenset[int], operation: Operation) -> list[RuleRow]:
        """The rules on a table that bind these roles in an operation, those without a role included, in the
        order of their ids."""
        return [
            rule
            for rule in self._rules.get(table, ())
            if (rule.role_id is None or rule.role_id in role_ids) and rule.binds(operation)
        ]

    def every_rule(self) -> Iterable[RuleRow]:
        """All active rules."""
        return (rule for rules in self._rules.values() for rule in rules)


_roles = msgspec.json.Decoder(list[RoleRow])
_closure = msgspec.json.Decoder(list[tuple[int, int]])
_lists = msgspec.json.Decoder(list[ListRow])
_rules = msgspec.json.Decoder(list[RuleRow])


async def read_rights(db: Database) -> Rights:
    """The rights as they are stored now; in a transaction, as it sees them. One statement."""
    (row,) = await db.run(_SQL["read"], [])
    return Rights(
        revision=row["revision"],
        roles=_roles.decode(row["roles"]),
        closure=_closure.decode(row["closure"]),
        lists=_lists.decode(row["lists"]),
        rules=_rules.decode(row["rules"]),
    )


async def read_rights_revision(db: Database) -> int:
    """The revision of what `read_rights` would give."""
    revision: int = (await db.run(_SQL["read_revision"], []))[0][0]
    return revision
