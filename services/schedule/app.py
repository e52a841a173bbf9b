"""The manifest of the schedule module."""

from collections.abc import Mapping

from starlette.applications import Starlette

from app.core.environment import Environment
from app.core.errors import StartError
from app.core.jobs import Job
from app.core.service import Info, Service
from app.http.metrics import metrics_of
from services.schedule.runner import Runner
from services.schedule.store import TABLE


class ScheduleService(Service):
    """Does what modules want done again and again."""

    info = Info(
        name="schedule",
        summary="Work at intervals, done by one process of all.",
        depends=("dotorm_databases_postgres", "logger"),
    )

    def __init__(self, env: Environment) -> None:
        super().__init__(env)
        self._runner: Runner | None = None

    def routines(self) -> Mapping[str, str]:
        """The table of the jobs."""
        return {"schedule jobs": TABLE}

    async def startup(self, app: Starlette) -> None:
        """Ask all modules for their jobs. Raises StartError for two of one name, or one that cannot work."""
        self._runner = Runner(
            self.env.db,
            _jobs(self.env),
            acting=self.env.system,
            done=metrics_of(app).counter("starling_jobs_total", "Jobs that were done here, by result."),
        )

    async def post_init(self, app: Starlette) -> None:
        """Begin to do them."""
        if self._runner is not None:
            self._runner.start()

    async def shutdown(self, app: Starlette) -> None:
        """Do no more."""
        if self._runner is not None:
            await self._runner.stop()


def _jobs(env: Environment) -> list[Job]:
    found: dict[str, Job] = {}
    for module in env.apps:
        for job in module.jobs():
            if job.name in found:
                raise StartError(f"two jobs are called {job.name!r}: name them <module>.<what>")
            if job.interval_seconds <= 0 or job.limit_seconds <= 0:
                raise StartError(f"job {job.name!r}: interval_seconds and limit_seconds are above 0")
            found[job.name] = job
    return list(found.values())
