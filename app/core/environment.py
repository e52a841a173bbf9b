"""The home of all that lives as long as the process: settings, models, modules, and the phases between them.

    env = Environment(Settings, Models, Apps)
    await env.setup_services()             # sort modules, compose models; nothing is opened
    await env.start_services_before(app)   # Apps.services_before, in order
    await env.load_routers(app)            # routers of all modules, dependencies first
    await env.start_services_after(app)    # Apps.services_after, in order
    await env.start_post_init(app)         # default data of all modules, dependencies first; then readiness
    await env.stop_services(app)           # in reverse; always safe to call

A phase that fails, is cancelled, or outlives a module's limit stops what had been started, in reverse, and
raises. The limits are class attributes of App and Service. Set-up and the loading of routers import files,
which nothing can interrupt: they have none.

There is no global: two environments stand side by side in one process, each bound to its own contexts.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from enum import IntEnum
from typing import TYPE_CHECKING, TypeVar

from app.core.access import access_session_or_none
from app.core.dependencies import check_start_order, sorted_by_dependency
from app.core.errors import ModuleStartError, StartError, described
from app.core.models import ModelsCore, declared_models
from app.core.modules import ModuleRouter, load_manifests, load_routers
from app.core.request_context import request_id
from app.core.service import App, AppsCore, Service
from app.core.settings import SettingsCore, check
from orm import access, context
from orm.errors import Unbound, UsageError
from orm.registry import Registry

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from app.core.access import Authenticator
    from orm.access import AccessPolicy
    from orm.database import Database
    from orm.model import DotModel

_logger = logging.getLogger(__name__)

AppT = TypeVar("AppT", bound=App)

ReadinessCheck = Callable[[], str | None]
"""Answers at once, without waiting: None when all is well, else a sentence that anybody may be shown."""


class _Stage(IntEnum):
    """How far an environment has come; each phase follows the one before it, once."""

    MADE = 0
    SET_UP = 1
    STARTED_BEFORE = 2
    ROUTED = 3
    STARTED_AFTER = 4
    READY = 5
    STOPPED = 6


class Environment:
    """See the module. Settings may be the class, read from os.environ and ./.env right here, or an instance.

    `policy` and `authenticator` are None until the security and auth_token services install theirs. `worker`
    is a random name of this process, safe to show. Raises SettingsError.
    """

    def __init__(
        self, settings: type[SettingsCore] | SettingsCore, models: type[ModelsCore], apps: type[AppsCore]
    ) -> None:
        if isinstance(settings, type):
            self.settings = settings.load()
        else:
            check(settings)
            self.settings = settings
        self.apps = apps({})
        self.services_before: tuple[Service, ...] = ()
        self.services_after: tuple[Service, ...] = ()
        self.policy: AccessPolicy | None = None
        self.authenticator: Authenticator | None = None
        self.worker = secrets.token_hex(4)
        self._models_class = models
        self._apps_class = apps
        self._models: ModelsCore | None = None
        self._registry: Registry | None = None
        self._db: Database | None = None
        self._stage = _Stage.MADE
        self._running = AsyncExitStack()
        self._readiness_checks: dict[str, ReadinessCheck] = {}

    # What it holds

    @property
    def models(self) -> ModelsCore:
        """The composed models, `env.models.user` and so on. Raises UsageError before `setup_services`."""
        if self._models is None:
            raise UsageError("the models are composed by env.setup_services(): await it first")
        return self._models

    @property
    def registry(self) -> Registry:
        """The composed models as the ORM sees them. Raises UsageError before `setup_services`."""
        if self._registry is None:
            raise UsageError("the models are composed by env.setup_services(): await it first")
        return self._registry

    @property
    def db(self) -> Database:
        """The database. Set by the database service when it starts; raises UsageError before that."""
        if self._db is None:
            raise UsageError(
                "there is no database yet: dotorm_databases_postgres opens it in start_services_before"
            )
        return self._db

    @db.setter
    def db(self, database: Database) -> None:
        self._db = database

    def service(self, kind: type[AppT]) -> AppT:
        """The installed module (a service or not) of that class. Raises UsageError when there is none."""
        for module in self.apps:
            if isinstance(module, kind):
                return module
        raise UsageError(f"no installed module is a {kind.__name__}: add its package to Apps.installed")

    def bind(self) -> AbstractContextManager[None]:
        """Inside the block the verbs of every model act in this environment."""
        return context.bind(self)

    @contextmanager
    def system(self) -> Iterator[None]:
        """Inside the block, bound to this environment, no access is checked: the way around the policy."""
        with context.bind(self), access.system():
            yield

    def marks(self) -> Mapping[str, str]:
        """Who writes in this context, for the triggers of audited tables: the id of the signed-in user, also
        inside `system()`, and of the request; a text each, empty where there is none."""
        session = access_session_or_none()
        return {
            "user_id": str(session.user_id) if session is not None else "",
            "request_id": request_id.get() or "",
        }

    # Readiness

    @property
    def is_ready(self) -> bool:
        """Whether the start is over and the stop has not begun. Says nothing of the checks: see `unready`."""
        return self._stage is _Stage.READY

    def add_readiness_check(self, name: str, check: ReadinessCheck) -> None:
        """From now on readiness asks `check` too. A name can be taken once."""
        if name in self._readiness_checks:
            raise UsageError(f"there is a readiness check {name!r} already: call this one differently")
        self._readiness_checks[name] = check

    def unready(self) -> dict[str, str]:
        """Why this process should get no requests: a sentence by name of the check; empty when it should."""
        if self._stage is _Stage.STOPPED:
            return {"start": "this process is stopping"}
        if not self.is_ready:
            return {"start": "this process is still starting"}
        found = {name: check() for name, check in self._readiness_checks.items()}
        return {name: sentence for name, sentence in found.items() if sentence is not None}

    # Phases

    async def setup_services(self) -> None:
        """Load the modules' manifests, put them in order, compose and freeze the models. Opens nothing.

        Raises StartError for a list that cannot work, ModuleStartError for a module that cannot be imported,
        and DeclarationError for models that contradict each other.
        """
        self._expect(_Stage.MADE, "setup_services")
        manifests = load_manifests(self.apps.installed)
        depends = {name: manifest.info.depends for name, manifest in manifests.items()}
        modules = {name: self._make(manifests[name]) for name in sorted_by_dependency(depends)}
        before = _services("services_before", self.apps.services_before, modules)
        after = _services("services_after", self.apps.services_after, modules)
        starts = [service.info.name for service in (*before, *after)]
        _check_started_once(starts, modules)
        check_start_order(starts, depends)

        extensions: dict[str, list[type[DotModel]]] = {}
        for module in modules.values():
            for table, mixins in module.extends.items():
                extensions.setdefault(table, []).extend(mixins)
        self._registry = Registry.compose(declared_models(self._models_class), extensions)
        self._models = self._models_class(self._registry.names())
        self.apps = self._apps_class(modules)
        self.services_before, self.services_after = before, after
        self._stage = _Stage.SET_UP

    async def start_services_before(self, app: Starlette) -> None:
        """Start Apps.services_before, in order. Raises StartError after stopping what had started."""
        async with self._phase("start_services_before", _Stage.STARTED_BEFORE, app):
            await self._start("start_services_before", self.services_before, app)

    async def load_routers(self, app: Starlette) -> None:
        """Hand all modules' routers to `app.state.mount_router`, dependencies first. Raises StartError."""
        async with self._phase("load_routers", _Stage.ROUTED, app):
            for router in self.routers():
                app.state.mount_router(router)

    async def start_services_after(self, app: Starlette) -> None:
        """Start Apps.services_after, in order. Raises StartError after stopping what had started."""
        async with self._phase("start_services_after", _Stage.STARTED_AFTER, app):
            await self._start("start_services_after", self.services_after, app)

    async def start_post_init(self, app: Starlette) -> None:
        """Let every module bring its data up to date, dependencies first; then the process is ready."""
        async with self._phase("start_post_init", _Stage.READY, app):
            for module in self.apps:
                await _within(
                    module, "start_post_init", module.post_init(app), module.post_init_limit_seconds
                )

    async def stop_services(self, app: Starlette) -> None:
        """Shut down every service that was started, or half started, in reverse. An error is logged, no more.

        May be called at any time and more than once; afterwards the environment cannot be started again.
        """
        self._stage = _Stage.STOPPED
        with self.bind():
            await self._running.aclose()

    def routers(self) -> Iterator[ModuleRouter]:
        """The routers of all modules, dependencies first; imports their files. Raises ModuleStartError."""
        for module in self.apps:
            package = type(module).__module__.rpartition(".")[0]
            yield from load_routers(package, module.info.name)

    @asynccontextmanager
    async def _phase(self, name: str, reached: _Stage, app: Starlette) -> AsyncIterator[None]:
        self._expect(_Stage(reached - 1), name)
        try:
            with self.bind():
                yield
        except BaseException:
            # Also when the start is cancelled: whoever gives up on it must not find things left open.
            await self.stop_services(app)
            raise
        self._stage = reached

    def _expect(self, stage: _Stage, phase: str) -> None:
        if self._stage is not stage:
            raise UsageError(
                f"env.{phase}() does not belong here: the phases run once each and in order, "
                f"and this environment has come to {self._stage.name}"
            )

    def _make(self, manifest: type[App]) -> App:
        try:
            return manifest(self)
        except StartError:
            raise
        except Exception as error:
            raise ModuleStartError(manifest.info.name, "setup_services", described(error)) from error

    async def _start(self, phase: str, services: Sequence[Service], app: Starlette) -> None:
        for service in services:
            # Before startup: one that fails half-way has things to close.
            self._running.push_async_callback(_shut_down, service, app)
            await _within(service, phase, service.startup(app), service.startup_limit_seconds)


def current_environment() -> Environment:
    """The environment that this context is bound to. Raises Unbound when there is none."""
    home = context.current()
    if not isinstance(home, Environment):
        raise Unbound(f"this context is bound to a {type(home).__name__}, not to an Environment")
    return home


async def _within(module: App, phase: str, work: Awaitable[None], limit_seconds: float | None) -> None:
    """Await a module's part of a phase, at most for its limit. What goes wrong becomes a StartError."""
    limit = asyncio.timeout(limit_seconds)
    name = module.info.name
    try:
        async with limit:
            await work
    except StartError:
        raise
    except Exception as error:
        if limit.expired():
            raise ModuleStartError(
                name, phase, f"it was not done within {limit_seconds:g} seconds"
            ) from error
        _logger.debug("module %s failed in %s", name, phase, exc_info=True)
        raise ModuleStartError(name, phase, described(error)) from error


async def _shut_down(service: Service, app: Starlette) -> None:
    """Shut one service down, at most for its limit. A failure is logged: the next one must be closed too."""
    try:
        async with asyncio.timeout(service.shutdown_limit_seconds):
            await service.shutdown(app)
    except Exception:
        _logger.exception("service %s did not shut down cleanly", service.info.name)


def _services(listed_in: str, names: Sequence[str], modules: dict[str, App]) -> tuple[Service, ...]:
    services: list[Service] = []
    for name in names:
        module = modules.get(name)
        if module is None:
            raise StartError(
                f"Apps.{listed_in} names {name}, which is not installed: add its package to Apps.installed"
            )
        if not isinstance(module, Service):
            raise StartError(
                f"Apps.{listed_in} names {name}, which has nothing to start: it is an App, not a Service"
            )
        services.append(module)
    return tuple(services)


def _check_started_once(starts: Sequence[str], modules: dict[str, App]) -> None:
    for name, module in modules.items():
        if isinstance(module, Service) and (times := starts.count(name)) != 1:
            raise StartError(
                f"service {name} stands {times} times in Apps.services_before and services_after: "
                "it must stand there once, in one of them"
            )
