"""Installs the access policy, and watches for changes of rights."""

import logging
from collections.abc import Mapping

from starlette.applications import Starlette

from app.core.environment import Environment
from app.core.service import Info, Service
from orm.errors import UsageError
from services.security.keeper import RightsKeeper
from services.security.policy import Policy
from services.security.presets import bring_in, fields_of_unknown_roles, presets_of
from services.security.revisions import Revisions
from services.security.templates import Guards
from sql import statements

_SQL = statements("security/revisions")
_logger = logging.getLogger(__name__)


class SecurityService(Service):
    """From its start on nobody may do what the policy does not allow. It stays so when the service
    stops."""

    info = Info(
        name="security",
        summary="Who may do what: roles, access lists, rules, and how fast a change of them is honoured.",
        depends=("dotorm_databases_postgres",),
    )

    def __init__(self, env: Environment) -> None:
        super().__init__(env)
        self._revisions: Revisions | None = None
        self._rights: RightsKeeper | None = None

    def routines(self) -> Mapping[str, str]:
        """What moves the revision. Other modules' triggers call the same function."""
        return {"move_access_revision": _SQL["move_function"], "rights moved": _SQL["triggers"]}

    @property
    def every_guard(self) -> Guards:
        """The guards of all modules, by table."""
        return {table: rule for module in self.env.apps for table, rule in module.guards.items()}

    @property
    def revisions(self) -> Revisions:
        """By which caches of rights know that they hold. Raises UsageError before the start."""
        if self._revisions is None:
            raise _not_started()
        return self._revisions

    @property
    def rights(self) -> RightsKeeper:
        """Who has the snapshot of rights that holds now. Raises UsageError before the start."""
        if self._rights is None:
            raise _not_started()
        return self._rights

    async def startup(self, app: Starlette) -> None:
        """Install the policy. No table is read before post-init. Raises StartError for presets that name
        what does not exist."""
        presets_of(self.env.apps, self.env.registry)
        policy = Policy(self.every_guard)
        self._revisions = Revisions(self.env.db)
        self._rights = RightsKeeper(self.env.db, self._revisions, policy.use)
        self.env.policy = policy
        # Whoever is signed in was verified with the rights of now; nobody verifies the anonymous user.
        app.state.dispatcher.before_anonymous(self._rights.current)

    async def post_init(self, app: Starlette) -> None:
        """Bring in what modules say about access, then begin to watch: caches of rights are used from now
        on."""
        with self.env.system():
            await bring_in(self.env.db, presets_of(self.env.apps, self.env.registry))
        await self.revisions.start()
        rights = await self.rights.current()
        for sentence in fields_of_unknown_roles(self.env.registry, rights.codes.values()):
            _logger.warning("%s, which does not exist: only administrators get at the field", sentence)

    async def shutdown(self, app: Starlette) -> None:
        """End the watch. The policy stays: without one, everything would be allowed."""
        if self._revisions is not None:
            await self._revisions.stop()


def _not_started() -> UsageError:
    return UsageError("the security service is not started: put security into Apps.services_before")
