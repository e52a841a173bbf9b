"""Installs the access policy, and watches for changes of rights."""

from starlette.applications import Starlette

from app.core.environment import Environment
from app.core.service import Info, Service
from orm.errors import UsageError
from services.security.policy import Policy
from services.security.revisions import Revisions


class SecurityService(Service):
    """From its start on nobody may do what the policy does not allow. It stays so when the service
    stops."""

    info = Info(
        name="security",
        summary="Who may do what: the access policy, and how fast a change of rights is honoured.",
        depends=("dotorm_databases_postgres",),
    )

    def __init__(self, env: Environment) -> None:
        super().__init__(env)
        self._revisions: Revisions | None = None

    @property
    def revisions(self) -> Revisions:
        """By which caches of rights know that they hold. Raises UsageError before the start."""
        if self._revisions is None:
            raise UsageError("the security service is not started: put security into Apps.services_before")
        return self._revisions

    async def startup(self, app: Starlette) -> None:
        """Install the policy. No table is read before post-init."""
        self._revisions = Revisions(self.env.db)
        self.env.policy = Policy(
            {table: rule for app_ in self.env.apps for table, rule in app_.guards.items()}
        )

    async def post_init(self, app: Starlette) -> None:
        """Begin to watch: caches of rights are used from now on."""
        await self.revisions.start()

    async def shutdown(self, app: Starlette) -> None:
        """End the watch. The policy stays: without one, everything would be allowed."""
        if self._revisions is not None:
            await self._revisions.stop()
