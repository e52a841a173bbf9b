"""The manifest of the audit module."""

import datetime
from collections.abc import Mapping, Sequence

from starlette.applications import Starlette

from app.core.environment import Environment
from app.core.jobs import Job
from app.core.service import Info, Service
from services.audit.closer import Closer
from services.audit.routines import routines
from services.audit.settings import AuditSettings
from services.audit.trimming import trim


class AuditService(Service):
    """Who changed what: the triggers that write it down, and the chain over what was written."""

    info = Info(
        name="audit",
        summary="Who did what and when, in a log that is only ever added to.",
        depends=("dotorm_databases_postgres", "logger"),
    )

    def __init__(self, env: Environment) -> None:
        super().__init__(env)
        self._closer: Closer | None = None

    def routines(self) -> Mapping[str, str]:
        """The log's functions, and its triggers on the tables of every audited model."""
        return routines(self.env.registry)

    def jobs(self) -> Sequence[Job]:
        """Entries that are older than they have to be are removed, where that was asked for."""
        if not self.env.settings.section(AuditSettings).retention_days:
            return ()
        return (Job(name="audit.trim", interval_seconds=600, work=self.trim),)

    async def trim(self) -> int:
        """How many entries were removed for their age."""
        days = self.env.settings.section(AuditSettings).retention_days
        return await trim(self.env.db, datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=days))

    async def startup(self, app: Starlette) -> None:
        """Nothing yet: triggers write from the moment in which the tables are there."""
        self._closer = Closer(self.env.db)

    async def post_init(self, app: Starlette) -> None:
        """Begin to close the chain over what waits."""
        if self._closer is not None:
            self._closer.start()

    async def shutdown(self, app: Starlette) -> None:
        """Close it no more; what waits is taken up by another process, or at the next start."""
        if self._closer is not None:
            await self._closer.stop()
