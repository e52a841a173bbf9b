"""Rights in memory, for tests that need no database."""

from collections.abc import Iterable, Mapping
from typing import Any

from app.core.access_presets import ACL
from orm.access import OPERATIONS
from services.security.rights import ListRow, Rights, RoleRow, RuleRow

BASE, MANAGER, AUDITOR = 1, 2, 3
CODES = {BASE: "base_user", MANAGER: "manager", AUDITOR: "auditor"}
CLOSURE = ((BASE, BASE), (MANAGER, MANAGER), (MANAGER, BASE), (AUDITOR, AUDITOR))
"""The manager is based on the base user; the auditor stands alone."""


def access(table: str, role_id: int, acl: ACL) -> ListRow:
    """An access list."""
    return ListRow(0, role_id, table, *(one in acl.operations for one in OPERATIONS))


def rule(
    table: str, domain: Any, *, role_id: int | None = None, operations: Any = OPERATIONS, id: int = 1
) -> RuleRow:
    """A rule; it is called r<id>."""
    return RuleRow(id, f"r{id}", table, role_id, domain, list(operations))


def rights(
    *rows: ListRow | RuleRow,
    codes: Mapping[int, str] = CODES,
    closure: Iterable[tuple[int, int]] = CLOSURE,
    revision: int = 1,
) -> Rights:
    """A snapshot with these access lists and rules."""
    return Rights(
        revision=revision,
        roles=[RoleRow(role, code) for role, code in codes.items()],
        closure=closure,
        lists=[row for row in rows if isinstance(row, ListRow)],
        rules=[row for row in rows if isinstance(row, RuleRow)],
    )
