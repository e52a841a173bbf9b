"""Users, the roles that they begin with, and the threads in which their passwords are hashed."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import ClassVar, Final

from starlette.applications import Starlette

from app.core.access_presets import ACL, RolePreset, RulePreset
from app.core.environment import Environment
from app.core.service import Info, Service
from services.users.passwords import Passwords
from sql import statements

BASE_USER: Final = "base_user"
"""The code of the role that every new user gets."""

_SQL = statements("users/users")
_TRIGGERS = statements("users/triggers")


class UsersService(Service):
    """Owns the hashing of passwords; what there is to do with users is in actions.py."""

    info = Info(
        name="users",
        summary="Users, their passwords, and the first administrator.",
        depends=("dotorm_databases_postgres", "audit", "security"),
    )
    roles: ClassVar[Sequence[RolePreset]] = (
        RolePreset(BASE_USER, "User"),
        RolePreset("manager", "Manager", based_on=(BASE_USER,)),
    )
    access: ClassVar[Mapping[str, Mapping[str, ACL]]] = MappingProxyType(
        {"users": {BASE_USER: ACL.READ_ONLY}}
    )
    rules: ClassVar[Sequence[RulePreset]] = (
        RulePreset(
            "users_active", "users", [["active", "=", True]], role=BASE_USER, operations=ACL.READ_ONLY
        ),
    )

    def __init__(self, env: Environment) -> None:
        super().__init__(env)
        self.passwords = Passwords()

    def routines(self) -> Mapping[str, str]:
        """Triggers by which every process hears of a user whose rights change."""
        return {"rights of users change": _TRIGGERS["rights_of_users"]}

    async def startup(self, app: Starlette) -> None:
        """From now on passwords can be hashed and verified."""
        self.passwords.start()

    async def post_init(self, app: Starlette) -> None:
        """Users who were made by a version without roles have the one that everybody gets."""
        await self.env.db.run(_SQL["give_base_user"], [BASE_USER])

    async def shutdown(self, app: Starlette) -> None:
        """Wait for the hashes under way."""
        await self.passwords.stop()
