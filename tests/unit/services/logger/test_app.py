import logging
from collections.abc import Callable, Iterator

import msgspec
import pytest
from starlette.applications import Starlette

from app.core.environment import Environment
from app.core.models import ModelsCore
from app.core.service import AppsCore
from app.core.settings import SettingsCore
from services.auth_token.settings import AuthSettings
from services.logger.app import LoggerService
from services.logger.settings import LoggerSettings


class Settings(SettingsCore, frozen=True, kw_only=True):
    logger: LoggerSettings = LoggerSettings()
    auth: AuthSettings = AuthSettings()


class Apps(AppsCore):
    installed = ("services.logger",)
    services_before = ("logger",)


APP = Starlette()


async def started(logger: LoggerSettings | None = None, *, secret: str | None = None) -> Environment:
    settings = Settings(logger=logger or LoggerSettings(), auth=AuthSettings(secret=secret))
    env = Environment(settings, ModelsCore, Apps)
    await env.setup_services()
    await env.start_services_before(APP)
    return env


@pytest.fixture(autouse=True)
def logging_is_left_as_it_was() -> Iterator[None]:
    def state() -> list[object]:
        loggers = [
            logging.getLogger(),
            *map(logging.getLogger, ("uvicorn", "uvicorn.error", "uvicorn.access")),
        ]
        return [(logger.level, [*logger.handlers], logger.propagate) for logger in loggers]

    before = state()
    yield
    assert state() == before


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[str]]:
    def read() -> list[str]:
        return capsys.readouterr().err.splitlines()

    return read


async def test_the_log_is_written_from_startup_to_shutdown(lines: Callable[[], list[str]]) -> None:
    log = logging.getLogger("some.library")
    log.info("before")

    env = await started()
    log.info("during")
    log.debug("too quiet")
    await env.stop_services(APP)
    log.info("after")

    (line,) = lines()
    assert line.endswith("INFO some.library: during")


async def test_the_format_for_machines_is_one_object_a_line(lines: Callable[[], list[str]]) -> None:
    env = await started(LoggerSettings(format="json", level="debug"))
    logging.getLogger("a").debug("first")
    logging.getLogger("b").error("second")
    await env.stop_services(APP)

    decoded = [msgspec.json.decode(line) for line in lines()]
    assert [
        (line["level"], line["logger"], line["message"]) for line in decoded if line["logger"] in "ab"
    ] == [
        ("debug", "a", "first"),
        ("error", "b", "second"),
    ]


async def test_a_secret_setting_is_never_written(lines: Callable[[], list[str]]) -> None:
    env = await started(secret=f"old:{'k' * 32},new:{'n' * 32}")
    logging.getLogger("a").info("signing with %s", "n" * 32)
    await env.stop_services(APP)

    (line,) = lines()
    assert line.endswith("signing with ***")


@pytest.mark.parametrize("name", ["uvicorn", "uvicorn.error", "uvicorn.access"])
async def test_the_servers_own_log_goes_the_same_way(name: str, lines: Callable[[], list[str]]) -> None:
    log = logging.getLogger(name)
    own = logging.StreamHandler()
    log.addHandler(own)
    log.propagate = False
    try:
        env = await started()
        log.warning("from the server")
        await env.stop_services(APP)
        assert (log.handlers, log.propagate) == ([own], False)
    finally:
        log.removeHandler(own)
        log.propagate = True

    assert [line.partition(" ")[2] for line in lines()] == [f"WARNING {name}: from the server"]


async def test_two_environments_write_a_line_once_each_in_its_own_way(lines: Callable[[], list[str]]) -> None:
    one, other = await started(), await started(LoggerSettings(format="json", level="debug"))
    log = logging.getLogger("a")

    with one.bind():
        log.info("of one")
        log.debug("too quiet for one")
    with other.bind():
        log.debug("of the other")
    log.warning("of nobody")
    await one.stop_services(APP)
    log.warning("of nobody, later")
    await other.stop_services(APP)

    of_one, of_other, of_nobody, later = lines()
    assert of_one.endswith("INFO a: of one")
    assert msgspec.json.decode(of_other)["message"] == "of the other"
    assert of_nobody.endswith("WARNING a: of nobody")
    assert msgspec.json.decode(later)["message"] == "of nobody, later"


async def test_shutting_down_twice_or_without_startup_changes_nothing() -> None:
    env = Environment(Settings(), ModelsCore, Apps)
    await env.setup_services()
    service = env.service(LoggerService)
    before = [*logging.getLogger().handlers]

    await service.shutdown(APP)
    await service.startup(APP)
    await service.shutdown(APP)
    await service.shutdown(APP)

    assert logging.getLogger().handlers == before
