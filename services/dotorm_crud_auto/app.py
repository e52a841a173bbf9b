"""Serves every registered model on /api, once all hand-written routes are in place, and documents both;
lets writes be repeated under an Idempotency-Key."""

from collections.abc import Sequence

from starlette.applications import Starlette

from app import __version__
from app.core.environment import Environment
from app.core.errors import StartError
from app.core.jobs import Job
from app.core.service import Info, Service
from app.crud.exports import ExportLimits
from app.crud.table import PREFIX, CrudTable
from app.http.dispatch import Dispatcher
from app.http.idempotency import Idempotency
from app.openapi import Documentation, project_of
from orm.errors import UsageError
from services.dotorm_crud_auto.kept_answers import KeptAnswers
from services.dotorm_crud_auto.models import IdempotencyKey
from services.dotorm_crud_auto.settings import CrudSettings


class CrudAutoService(Service):
    """Makes the API from the composed models. A hand-written route on the same path wins."""

    info = Info(
        name="dotorm_crud_auto",
        summary="Gives every model a REST API made from its metadata, and documents all routes.",
        depends=("dotorm_databases_postgres",),
    )

    def __init__(self, env: Environment) -> None:
        super().__init__(env)
        self._documentation: Documentation | None = None
        self._kept_answers = KeptAnswers(lambda: env.db)

    @property
    def documentation(self) -> Documentation:
        """What /openapi.json and /docs answer. Raises UsageError before the start."""
        if self._documentation is None:
            raise UsageError("dotorm_crud_auto is not started: put it into Apps.services_after")
        return self._documentation

    async def startup(self, app: Starlette) -> None:
        """From now on /api answers."""
        if self.env.registry.table(IdempotencyKey.__table__) is None:
            raise StartError(
                "dotorm_crud_auto keeps answers in a table of its own: "
                "add idempotency_key = IdempotencyKey to Models"
            )
        settings = self.env.settings.section(CrudSettings)
        limits = ExportLimits(settings.export_max_rows, settings.export_seconds, settings.exports_at_once)
        dispatcher: Dispatcher = app.state.dispatcher
        table = CrudTable(
            self.env.registry, exports=limits, dispatcher=dispatcher, batch_seconds=settings.batch_seconds
        )
        dispatcher.mount(PREFIX, table)
        project = project_of(self.env, dispatcher.targets, version=__version__)
        dispatcher.honour_keys(Idempotency(self._kept_answers, prefixes=project.keyed))
        self._documentation = Documentation(project)

    def jobs(self) -> Sequence[Job]:
        """Answers that nobody can ask for any more are forgotten."""
        work = self._kept_answers.forget_old_ones
        return (Job(name="dotorm_crud_auto.forget_answers", interval_seconds=3600, work=work),)

    async def shutdown(self, app: Starlette) -> None:
        """Nothing is open that would have to be closed."""
