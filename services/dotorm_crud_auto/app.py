"""Serves every registered model on /api, once all hand-written routes are in place, and documents both."""

from starlette.applications import Starlette

from app import __version__
from app.core.environment import Environment
from app.core.service import Info, Service
from app.crud.table import PREFIX, CrudTable
from app.openapi import Documentation, Project
from orm.errors import UsageError


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

    @property
    def documentation(self) -> Documentation:
        """What /openapi.json and /docs answer. Raises UsageError before the start."""
        if self._documentation is None:
            raise UsageError("dotorm_crud_auto is not started: put it into Apps.services_after")
        return self._documentation

    async def startup(self, app: Starlette) -> None:
        """From now on /api answers."""
        table = CrudTable(self.env.registry)
        app.state.dispatcher.mount(PREFIX, table)
        self._documentation = Documentation(
            Project(
                title="Starling",
                version=__version__,
                targets=app.state.dispatcher.targets,
                resources=tuple(table.resources.values()),
                registry=self.env.registry,
                summaries={module.info.name: module.info.summary for module in self.env.apps},
            )
        )

    async def shutdown(self, app: Starlette) -> None:
        """Nothing is open that would have to be closed."""
