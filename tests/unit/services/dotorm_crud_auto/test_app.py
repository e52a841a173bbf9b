from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.applications import Starlette

from app.core.access import AccessSession, reset_access_session, set_access_session
from app.core.errors import MethodNotAllowed, NotFound, Unauthenticated
from app.http.bodies import Request
from app.http.dispatch import Dispatcher
from app.http.routing import Router
from orm import Char, DotModel, Registry
from orm.errors import UsageError
from services.dotorm_crud_auto.app import CrudAutoService
from tests.support.asgi import call


class Note(DotModel):
    __table__ = "notes"
    name: str = Char(required=True)


@pytest.fixture
def signed_in() -> Iterator[None]:
    """Somebody is."""
    token = set_access_session(AccessSession(user_id=1, login="ada", name="Ada"))
    yield
    reset_access_session(token)


async def started() -> Dispatcher:
    """A dispatcher with one hand-written route, and the service started behind it."""
    router = Router()

    @router.get("/api/notes/search")
    async def search(request: Request) -> str:
        return "by hand"

    app = Starlette()
    app.state.dispatcher = dispatcher = Dispatcher()
    dispatcher.include(router, private=False, module="notes")
    environment: Any = SimpleNamespace(registry=Registry.compose({"note": Note}), apps=())
    service = CrudAutoService(environment)
    await service.startup(app)
    await service.shutdown(app)
    await service.shutdown(app)  # may be called twice
    return dispatcher


async def test_the_api_of_every_model_is_behind_the_hand_written_routes() -> None:
    dispatcher = await started()
    assert (await call(dispatcher, "GET", "/api/notes/search")).json() == "by hand"
    with pytest.raises(NotFound):
        await call(dispatcher, "GET", "/notes")


async def test_the_api_is_private() -> None:
    dispatcher = await started()
    for path in ("/api/notes", "/api/unknown"):
        with pytest.raises(Unauthenticated):
            await call(dispatcher, "GET", path)


async def test_a_wrong_method_is_told_those_of_both(signed_in: None) -> None:
    dispatcher = await started()
    with pytest.raises(MethodNotAllowed) as caught:
        await call(dispatcher, "PUT", "/api/notes/search")
    assert list(caught.value.allowed) == ["GET", "HEAD", "POST"]


def test_there_is_no_documentation_before_the_start() -> None:
    environment: Any = SimpleNamespace()
    with pytest.raises(UsageError, match="services_after"):
        _ = CrudAutoService(environment).documentation
