from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette

from app.core.environment import Environment
from app.core.errors import ModuleStartError
from app.core.models import ModelsCore
from app.core.service import AppsCore
from app.http.settings import HttpSettings
from app.main import create_app, lifespan
from app.project_setup import Settings
from tests.support.asgi import Answered, call
from tests.support.module_folders import ModuleFolders, module_folders

ROUTES = """
    from app.core.environment import current_environment
    from app.http.routing import Router

    router_public = Router(prefix="/open")
    router_private = Router(prefix="/closed")


    @router_public.get("/worker")
    async def worker(request):
        assert request.app.state.env is current_environment()
        return {"worker": current_environment().worker}


    @router_private.get("/worker")
    async def closed(request):
        return {}
"""


@pytest.fixture
def folders(tmp_path: Path) -> Iterator[ModuleFolders]:
    with module_folders(tmp_path) as made:
        yield made


def application(*installed: str, before: tuple[str, ...] = ()) -> Starlette:
    apps = type("Apps", (AppsCore,), {"installed": installed, "services_before": before})
    app = create_app(Environment(Settings(), ModelsCore, apps))
    app.state.events = []
    return app


async def get(app: Starlette, path: str) -> Answered:
    return await call(app, "GET", path)


async def test_routes_of_modules_answer_while_the_lifespan_runs(folders: ModuleFolders) -> None:
    folders.write("crm/routers/deals.py", ROUTES)
    app = application(folders.app("crm"))

    async with lifespan(app):
        public, private, unknown = [await get(app, path) for path in ("/open/worker", "/closed/worker", "/x")]

    assert (public.status, public.json()) == (200, {"worker": app.state.env.worker})
    assert (private.status, private.headers["www-authenticate"]) == (401, "Bearer")
    assert unknown.status == 404


async def test_only_the_health_checks_answer_before_and_after(folders: ModuleFolders) -> None:
    folders.write("crm/routers/deals.py", ROUTES)
    app = application(folders.app("crm"))

    async def statuses() -> list[int]:
        return [(await get(app, path)).status for path in ("/health/live", "/health/ready", "/open/worker")]

    assert await statuses() == [200, 503, 503]
    async with lifespan(app):
        assert await statuses() == [200, 200, 200]
    assert await statuses() == [200, 503, 503]


async def test_the_lifespan_starts_and_stops_the_services(folders: ModuleFolders) -> None:
    app = application(folders.service("log"), before=("log",))

    async with lifespan(app):
        assert app.state.events == ["start log"]
    assert app.state.events == ["start log", "stop log"]


async def test_services_are_stopped_when_the_application_fails(folders: ModuleFolders) -> None:
    app = application(folders.service("log"), before=("log",))

    with pytest.raises(ZeroDivisionError):
        async with lifespan(app):
            raise ZeroDivisionError

    assert app.state.events == ["start log", "stop log"]


async def test_a_start_that_fails_is_undone(folders: ModuleFolders) -> None:
    failing = """
    async def post_init(self, app):
        1 / 0
    """
    app = application(folders.service("log"), folders.app("crm", body=failing), before=("log",))

    with pytest.raises(ModuleStartError, match="module crm failed in start_post_init"):
        async with lifespan(app):
            pytest.fail("it must not come this far")

    assert app.state.events == ["start log", "stop log"]


async def test_two_applications_live_side_by_side(folders: ModuleFolders) -> None:
    folders.write("crm/routers/deals.py", ROUTES)
    name = folders.app("crm")
    one, other = application(name), application(name)

    async with lifespan(one), lifespan(other):
        answers = [(await get(app, "/open/worker")).json()["worker"] for app in (one, other)]

    assert answers == [one.state.env.worker, other.state.env.worker]
    assert answers[0] != answers[1]


def test_an_application_is_made_of_this_project_unless_another_environment_is_given(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HTTP__PORT", "8123")

    env: Environment = create_app().state.env

    assert isinstance(env.settings, Settings)
    assert env.settings.section(HttpSettings).port == 8123
