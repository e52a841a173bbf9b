"""What a module says about access as data in its manifest: roles, access lists and rules to begin with.

    class Partners(App):
        roles = (RolePreset("auditor", "Auditor", based_on=("base_user",)),)
        access = {"partners": {"base_user": ACL.FULL, "auditor": ACL.READ_ONLY}}
        rules = (
            RulePreset("partners_own", "partners", [["owner_id", "=", "{{user_id}}"]], role="base_user",
                       operations=ACL.NO_CREATE),
        )

`services/security` brings them into its tables once; what an administrator changes or removes there later
stays as he left it.
"""

from collections.abc import Sequence
from enum import Flag
from typing import Any, Final

import msgspec

from orm.access import OPERATIONS, Operation

ADMINISTRATORS: Final = "administrators"
"""As `role_read`, `role_create` or `role_update` of a field: for nobody but administrators. No role can have
this code."""


class ACL(Flag):
    """Which operations on a table a role may do; presets and their parts."""

    NO_ACCESS = 0
    CREATE = 1
    READ = 2
    UPDATE = 4
    DELETE = 8
    FULL = CREATE | READ | UPDATE | DELETE
    READ_ONLY = READ
    NO_DELETE = CREATE | READ | UPDATE
    NO_CREATE = READ | UPDATE | DELETE
    CREATE_READ = CREATE | READ

    @property
    def operations(self) -> frozenset[Operation]:
        """The same as the ORM's words."""
        return frozenset(name for name in OPERATIONS if ACL[name.upper()] in self)


class RolePreset(msgspec.Struct, frozen=True):
    """A role, and the codes of the roles whose rights it has as well."""

    code: str
    name: str
    based_on: tuple[str, ...] = ()


class RulePreset(msgspec.Struct, frozen=True):
    """Which rows of a table a role may touch in these operations; without a role it binds everybody.

    `name` is unique in the project. `domain` is a filter in which `{{user_id}}`, `{{role_ids}}` and `{{now}}`
    stand for the asker and the time; an empty one lets every row through.
    """

    name: str
    table: str
    domain: Sequence[Any]
    role: str | None = None
    operations: ACL = ACL.FULL
