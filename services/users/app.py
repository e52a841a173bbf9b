"""Users, and the threads in which their passwords are hashed."""

from starlette.applications import Starlette

from app.core.environment import Environment
from app.core.service import Info, Service
from services.users.passwords import Passwords


class UsersService(Service):
    """Owns the hashing of passwords; what there is to do with users is in actions.py."""

    info = Info(
        name="users",
        summary="Users, their passwords, and the first administrator.",
        depends=("dotorm_databases_postgres", "security"),
    )

    def __init__(self, env: Environment) -> None:
        super().__init__(env)
        self.passwords = Passwords()

    async def startup(self, app: Starlette) -> None:
        """From now on passwords can be hashed and verified."""
        self.passwords.start()

    async def shutdown(self, app: Starlette) -> None:
        """Wait for the hashes under way."""
        await self.passwords.stop()
