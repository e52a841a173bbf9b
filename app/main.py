"""The composition root: an Environment, the edge in front of it, and the lifespan that walks its phases.

`create_app` is a factory: `uvicorn --factory app.main:create_app` works, and `starling serve` does the same
in each worker.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette

from app.core.environment import Environment
from app.core.modules import ModuleRouter
from app.http.dispatch import Dispatcher
from app.http.edge import Edge
from app.http.health import health_router
from app.project_setup import Apps, Models, Settings


def create_app(env: Environment | None = None) -> Starlette:
    """An application on `env`, or on a new Environment of this project. It starts nothing yet.

    `app.state` has `env`, `dispatcher` (services may mount what answers below a path of their own), and
    `mount_router`, which is how routers that modules export come in. Raises SettingsError.
    """
    environment = Environment(Settings, Models, Apps) if env is None else env
    app = Starlette(lifespan=lifespan)
    dispatcher = Dispatcher(app.router)
    dispatcher.include(health_router(environment), private=False, module="app")

    def mount_router(found: ModuleRouter) -> None:
        dispatcher.include(found.router, private=found.is_private, module=found.module)

    app.state.env = environment
    app.state.dispatcher = dispatcher
    app.state.mount_router = mount_router
    # In place of Starlette's own stack: the edge shows errors in our one shape, and does in one pass what
    # else would be several.
    app.middleware_stack = Edge(dispatcher, env=environment)
    return app


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """The phases of `app.state.env`, in order; and the way back, whatever happened in between."""
    env: Environment = app.state.env
    with env.bind():
        try:
            await env.setup_services()
            await env.start_services_before(app)
            await env.load_routers(app)
            await env.start_services_after(app)
            await env.start_post_init(app)
            yield
        finally:
            await env.stop_services(app)
