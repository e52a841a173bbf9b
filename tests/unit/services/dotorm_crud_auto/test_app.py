from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.applications import Starlette

from app.core.access import AccessSession, reset_access_session, set_access_session
from app.core.errors import MethodNotAllowed, NotFound, StartError, Unauthenticated
from app.http.bodies import Request
from app.http.dispatch import Dispatcher
from app.http.routing import Router
from app.project_setup import Settings
from orm import Char, DotModel, Registry
from orm.errors import UsageError
from services.dotorm_crud_auto.app import CrudAutoService
from services.dotorm_crud_auto.models import IdempotencyKey
from services.dotorm_databases_postgres.settings import DatabaseSettings
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


def environment(*models: type[DotModel]) -> Any:
    """What the service asks of an environment with Note and these models."""
    registry = Registry.compose({"note": Note} | {model.__table__: model for model in models})
    settings = Settings(database=DatabaseSettings(url="postgresql://nowhere"))
    return SimpleNamespace(registry=registry, apps=(), settings=settings)


async def started() -> Dispatcher:
    """A dispatcher with one hand-written route, and the service started behind it."""
    router = Router()

    @router.get("/api/notes/search")
    async def search(request: Request) -> str:
        return "by hand"

    app = Starlette()
    app.state.dispatcher = dispatcher = Dispatcher()
    dispatcher.include(router, private=False, module="notes")
    service = CrudAutoService(environment(IdempotencyKey))
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
    with pytest.raises(UsageError, match="services_after"):
        _ = CrudAutoService(environment()).documentation


async def test_a_project_without_the_table_for_answers_is_told_what_to_add() -> None:
    with pytest.raises(StartError, match="add idempotency_key = IdempotencyKey to Models"):
        await CrudAutoService(environment()).startup(Starlette())
