import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.applications import Starlette

from app.core.access import AccessSession, reset_access_session, set_access_session
from app.core.environment import Environment, current_environment
from app.core.errors import ModuleStartError, SettingsError, StartError
from app.core.models import ModelsCore
from app.core.request_context import request_id
from app.core.service import App, AppsCore
from app.core.settings import SettingsCore
from orm import context
from orm.access import System, current_asker
from orm.errors import Unbound, UsageError
from tests.support.module_folders import ModuleFolders
from tests.unit.app.core.settings.samples import Bicycle, Wheel


def environment(
    installed: Sequence[str] = (), *, before: Sequence[str] = (), after: Sequence[str] = ()
) -> Environment:
    body = {"installed": installed, "services_before": before, "services_after": after}
    return Environment(SettingsCore(), ModelsCore, type("Apps", (AppsCore,), body))


def application() -> Starlette:
    app = Starlette()
    app.state.events = []
    app.state.mount_router = lambda found: app.state.events.append(f"mount {found.router}")
    return app


async def start(env: Environment, app: Starlette) -> None:
    await env.setup_services()
    await env.start_services_before(app)
    await env.load_routers(app)
    await env.start_services_after(app)
    await env.start_post_init(app)


POST_INIT = """
    async def post_init(self, app):
        app.state.events.append(f"init {self.info.name}")
"""


async def test_the_phases_run_in_order_and_back_in_reverse(folders: ModuleFolders) -> None:
    folders.write("crm/routers/deals.py", "router_public = 'deals'")
    installed = [
        folders.app("crm", depends=("db",), body=POST_INIT),
        folders.service("chat", depends=("crm",), body=POST_INIT),
        folders.service("log"),
        folders.service("db", depends=("log",), body=POST_INIT),
    ]
    env, app = environment(installed, before=["log", "db"], after=["chat"]), application()

    await start(env, app)
    assert [service.info.name for service in env.services_before] == ["log", "db"]
    assert [service.info.name for service in env.services_after] == ["chat"]
    await env.stop_services(app)

    assert app.state.events == [
        "start log",
        "start db",
        "mount deals",
        "start chat",
        "init db",
        "init crm",
        "init chat",
        "stop chat",
        "stop db",
        "stop log",
    ]


async def test_modules_are_held_in_order_of_dependency_and_found_by_name(folders: ModuleFolders) -> None:
    env = environment([folders.app("crm", depends=("base_app",)), folders.app("base_app")])

    await env.setup_services()

    assert [module.info.name for module in env.apps] == ["base_app", "crm"]
    assert len(env.apps) == 2
    assert env.apps["crm"].env is env
    assert "crm" in env.apps
    assert "chat" not in env.apps


async def test_a_module_is_found_by_its_class(folders: ModuleFolders) -> None:
    env = environment([folders.service("db")], before=["db"])
    await env.setup_services()

    assert env.service(type(env.apps["db"])) is env.apps["db"]
    assert env.service(App) is env.apps["db"]

    class Other(App):
        pass

    with pytest.raises(UsageError, match="no installed module is a Other"):
        env.service(Other)


# Lists that cannot work


async def test_a_circle_of_modules_stops_the_set_up(folders: ModuleFolders) -> None:
    env = environment([folders.app("a_app", depends=("b_app",)), folders.app("b_app", depends=("a_app",))])

    with pytest.raises(StartError, match="a_app -> b_app -> a_app"):
        await env.setup_services()


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        (
            ["db", "x"],
            [],
            "Apps.services_before names x, which is not installed: add its package to Apps.installed",
        ),
        (
            ["db"],
            ["crm"],
            "Apps.services_after names crm, which has nothing to start: it is an App, not a Service",
        ),
        (["db"], ["db"], "service db stands 2 times in Apps.services_before and services_after"),
        (["db", "db"], [], "service db stands 2 times"),
        ([], [], "service db stands 0 times"),
    ],
)
async def test_lists_of_services_that_cannot_work_are_refused(
    folders: ModuleFolders, before: list[str], after: list[str], sentence: str
) -> None:
    env = environment([folders.service("db"), folders.app("crm")], before=before, after=after)

    with pytest.raises(StartError) as caught:
        await env.setup_services()

    assert str(caught.value).startswith(sentence)


async def test_a_service_listed_before_what_it_depends_on_is_refused(folders: ModuleFolders) -> None:
    env = environment(
        [folders.service("auth", depends=("db",)), folders.service("db")], before=["auth"], after=["db"]
    )

    with pytest.raises(StartError, match="service auth starts before db, which it depends on"):
        await env.setup_services()


async def test_a_module_that_cannot_be_made_is_named(folders: ModuleFolders) -> None:
    body = """
    def __init__(self, env):
        raise ValueError("out of luck")
    """
    env = environment([folders.app("crm", body=body)])

    with pytest.raises(
        ModuleStartError, match="module crm failed in setup_services: ValueError: out of luck"
    ):
        await env.setup_services()


# A start that fails

FAILING_STARTUP = """
    async def startup(self, app):
        app.state.events.append("begin bad")
        raise ValueError("out of luck")
"""
FAILING_POST_INIT = """
    async def post_init(self, app):
        raise ValueError("out of luck")
"""


async def test_a_service_that_fails_to_start_is_stopped_with_all_before_it(folders: ModuleFolders) -> None:
    installed = [
        folders.service("log"),
        folders.service("bad", body=FAILING_STARTUP),
        folders.service("late"),
    ]
    env, app = environment(installed, before=["log", "bad", "late"]), application()

    await env.setup_services()
    with pytest.raises(ModuleStartError) as caught:
        await env.start_services_before(app)
    await env.stop_services(app)

    assert app.state.events == ["start log", "begin bad", "stop bad", "stop log"]
    assert (caught.value.module, caught.value.phase) == ("bad", "start_services_before")
    assert "ValueError: out of luck (" in str(caught.value)
    assert "bad/app.py, line" in str(caught.value)


async def test_a_sentence_that_a_service_raises_for_people_is_left_as_it_is(folders: ModuleFolders) -> None:
    body = """
    async def startup(self, app):
        raise StartError("there is no PostgreSQL at that address")
    """
    env, app = environment([folders.service("db", body=body)], before=["db"]), application()

    await env.setup_services()
    with pytest.raises(StartError, match=r"^there is no PostgreSQL at that address$"):
        await env.start_services_before(app)
    assert app.state.events == ["stop db"]


async def test_a_router_that_cannot_be_imported_stops_what_had_started(folders: ModuleFolders) -> None:
    folders.write("crm/routers/deals.py", "1 / 0")
    env, app = environment([folders.service("log"), folders.app("crm")], before=["log"]), application()

    with pytest.raises(ModuleStartError, match="module crm failed in load_routers: ZeroDivisionError"):
        await start(env, app)

    assert app.state.events == ["start log", "stop log"]


async def test_a_post_init_that_fails_stops_what_had_started(folders: ModuleFolders) -> None:
    installed = [folders.service("log"), folders.service("chat"), folders.app("crm", body=FAILING_POST_INIT)]
    env, app = environment(installed, before=["log"], after=["chat"]), application()

    with pytest.raises(ModuleStartError, match="module crm failed in start_post_init"):
        await start(env, app)

    assert app.state.events == ["start log", "start chat", "stop chat", "stop log"]
    assert not env.is_ready


@pytest.mark.parametrize(
    ("limit", "method", "phase"),
    [
        ("startup_limit_seconds", "startup", "start_services_before"),
        ("post_init_limit_seconds", "post_init", "start_post_init"),
    ],
)
async def test_a_module_that_outlives_its_limit_is_cancelled_and_stopped(
    folders: ModuleFolders, limit: str, method: str, phase: str
) -> None:
    body = f"""
    {limit} = 0.01

    async def {method}(self, app):
        try:
            await asyncio.Event().wait()
        finally:
            app.state.events.append("cancelled")
    """
    env, app = environment([folders.service("slow", body=body)], before=["slow"]), application()

    with pytest.raises(
        ModuleStartError, match=f"module slow failed in {phase}: it was not done within 0.01 seconds"
    ):
        await start(env, app)

    assert app.state.events[-2:] == ["cancelled", "stop slow"]


async def test_a_timeout_of_the_module_itself_is_not_taken_for_its_limit(folders: ModuleFolders) -> None:
    body = """
    async def startup(self, app):
        raise TimeoutError("the peer is asleep")
    """
    env, app = environment([folders.service("slow", body=body)], before=["slow"]), application()

    with pytest.raises(ModuleStartError, match="TimeoutError: the peer is asleep"):
        await start(env, app)


async def test_a_start_that_is_cancelled_stops_what_had_started(folders: ModuleFolders) -> None:
    body = """
    async def post_init(self, app):
        app.state.reached.set()
        await asyncio.Event().wait()
    """
    env, app = (
        environment([folders.service("log"), folders.app("crm", body=body)], before=["log"]),
        application(),
    )
    app.state.reached = asyncio.Event()

    starting = asyncio.create_task(start(env, app))
    await app.state.reached.wait()
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting

    assert app.state.events == ["start log", "stop log"]


# The way back


async def test_a_shutdown_that_fails_is_logged_and_the_others_go_on(
    folders: ModuleFolders, caplog: pytest.LogCaptureFixture
) -> None:
    failing = """
    async def shutdown(self, app):
        raise ValueError("stuck")
    """
    slow = """
    shutdown_limit_seconds = 0.01

    async def shutdown(self, app):
        await asyncio.Event().wait()
    """
    installed = [
        folders.service("log"),
        folders.service("bad", body=failing),
        folders.service("slow", body=slow),
    ]
    env, app = environment(installed, before=["log", "bad", "slow"]), application()

    await start(env, app)
    await env.stop_services(app)

    assert app.state.events == ["start log", "start bad", "start slow", "stop log"]
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
        (logging.ERROR, "service slow did not shut down cleanly"),
        (logging.ERROR, "service bad did not shut down cleanly"),
    ]


async def test_stopping_twice_stops_each_service_once(folders: ModuleFolders) -> None:
    env, app = environment([folders.service("log")], before=["log"]), application()

    await start(env, app)
    await env.stop_services(app)
    await env.stop_services(app)

    assert app.state.events == ["start log", "stop log"]


async def test_stopping_what_never_started_does_nothing(folders: ModuleFolders) -> None:
    env, app = environment([folders.service("log")], before=["log"]), application()

    await env.stop_services(app)

    assert app.state.events == []


async def test_phases_out_of_order_are_refused() -> None:
    env, app = environment(), application()

    with pytest.raises(UsageError, match=r"start_services_before.*does not belong here.*MADE"):
        await env.start_services_before(app)
    await env.setup_services()
    with pytest.raises(UsageError, match="does not belong here"):
        await env.setup_services()
    await env.stop_services(app)
    with pytest.raises(UsageError, match="STOPPED"):
        await env.start_services_before(app)


# What it holds


async def test_two_environments_live_side_by_side(folders: ModuleFolders) -> None:
    name = folders.service("log")
    one, other = environment([name], before=[name]), environment([name], before=[name])
    one_app, other_app = application(), application()

    await start(one, one_app)
    await start(other, other_app)
    assert one.apps["log"] is not other.apps["log"]
    assert one.worker != other.worker
    with one.bind():
        assert current_environment() is one
        with other.bind():
            assert current_environment() is other
        assert current_environment() is one
    await one.stop_services(one_app)

    assert not one.is_ready
    assert other.is_ready
    await other.stop_services(other_app)
    assert one_app.state.events == other_app.state.events == ["start log", "stop log"]


def test_without_a_bound_environment_there_is_none() -> None:
    with pytest.raises(Unbound, match="no environment is bound"):
        current_environment()
    stranger: Any = SimpleNamespace()
    with context.bind(stranger), pytest.raises(Unbound, match="bound to a SimpleNamespace"):
        current_environment()


async def test_services_act_in_their_environment(folders: ModuleFolders) -> None:
    body = """
    async def startup(self, app):
        app.state.events.append(current_environment() is self.env)

    async def post_init(self, app):
        app.state.events.append(current_environment() is self.env)

    async def shutdown(self, app):
        app.state.events.append(current_environment() is self.env)
    """
    folders.service("log", body=body)
    source = folders.root / "log" / "app.py"
    source.write_text("from app.core.environment import current_environment\n" + source.read_text())
    env, app = environment(["log"], before=["log"]), application()

    await start(env, app)
    await env.stop_services(app)

    assert app.state.events == [True, True, True]


def test_the_system_is_bound_and_unchecked() -> None:
    env = environment()

    with env.system():
        assert current_environment() is env
        assert isinstance(current_asker(), System)
    assert current_asker() is None
    assert context.current_or_none() is None


@pytest.mark.parametrize("name", ["db", "models", "registry"])
def test_what_a_phase_brings_is_refused_with_a_sentence_before_it(name: str) -> None:
    with pytest.raises(UsageError, match=r"setup_services|start_services_before"):
        getattr(environment(), name)


def test_the_database_is_the_one_that_was_set() -> None:
    env, database = environment(), SimpleNamespace()
    env.db = database  # type: ignore[assignment]

    assert env.db is database  # type: ignore[comparison-overlap]


def test_settings_are_loaded_when_the_class_is_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WHEEL__SIZE", "28")

    env = Environment(Bicycle, ModelsCore, AppsCore)

    assert env.settings.section(Wheel).size == 28


def test_settings_given_as_an_instance_are_checked() -> None:
    with pytest.raises(SettingsError, match="WHEEL__SIZE is '0'"):
        Environment(Bicycle(wheel=Wheel(size=0)), ModelsCore, AppsCore)


# Readiness


async def test_readiness_is_green_between_post_init_and_stop_only(folders: ModuleFolders) -> None:
    body = """
    async def post_init(self, app):
        app.state.events.append((self.env.is_ready, self.env.unready()))
    """
    env, app = environment([folders.app("crm", body=body)]), application()

    await start(env, app)
    assert app.state.events == [(False, {"start": "this process is still starting"})]
    assert env.is_ready
    assert env.unready() == {}
    await env.stop_services(app)
    assert env.unready() == {"start": "this process is stopping"}


async def test_checks_say_why_a_process_is_not_ready() -> None:
    env = environment()
    answers: dict[str, str | None] = {"database": None, "broker": None}
    for name in answers:
        env.add_readiness_check(name, lambda name=name: answers[name])  # type: ignore[misc]
    await start(env, application())

    assert env.unready() == {}
    answers["broker"] = "not connected"
    assert env.unready() == {"broker": "not connected"}


def test_a_readiness_check_has_a_name_of_its_own() -> None:
    env = environment()
    env.add_readiness_check("database", lambda: None)

    with pytest.raises(UsageError, match="readiness check 'database' already"):
        env.add_readiness_check("database", lambda: None)


def test_the_marks_say_who_asks_and_in_which_request_also_inside_of_system() -> None:
    env = environment()
    assert env.marks() == {"user_id": "", "request_id": ""}

    session = set_access_session(AccessSession(user_id=7, login="ada", name="Ada"))
    request = request_id.set("r1")
    try:
        assert env.marks() == {"user_id": "7", "request_id": "r1"}
        with env.system():
            assert env.marks() == {"user_id": "7", "request_id": "r1"}
    finally:
        request_id.reset(request)
        reset_access_session(session)
