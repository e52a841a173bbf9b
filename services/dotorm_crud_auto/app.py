"""Serves every registered model on /api, once all hand-written routes are in their places."""

from starlette.applications import Starlette

from app.core.service import Info, Service
from app.crud.table import PREFIX, CrudTable


class CrudAutoService(Service):
    """Makes the API from the composed models. A hand-written route on the same path wins."""

    info = Info(
        name="dotorm_crud_auto",
        summary="Gives every model a REST API made from its metadata.",
        depends=("dotorm_databases_postgres",),
    )

    async def startup(self, app: Starlette) -> None:
        """From now on /api answers."""
        app.state.dispatcher.mount(PREFIX, CrudTable(self.env.registry))

    async def shutdown(self, app: Starlette) -> None:
        """Nothing is open that would have to be closed."""
