"""What a module is: the manifest class in services/<name>/app.py; and the lists of a project's modules.


A module that only brings models and routes is an `App`; one that opens something (a pool, a listener, a
thread) is a `Service`. Both are made by the Environment, one instance each, and never by hand.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from app.core.access_presets import ACL, RolePreset, RulePreset
from app.core.jobs import Job

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from app.core.environment import Environment
    from orm.model import DotModel


class Info(msgspec.Struct, frozen=True, kw_only=True):
    """What a module says of itself: `name` is its folder and its key everywhere; `depends` go before
    it."""

    name: str
    summary: str
    version: str = "1.0"
    depends: tuple[str, ...] = ()


class App:
    """A module: what it is, what it adds to others, and what it does once everything runs.

    `roles`, `access` (by table and role code) and `rules` are what it begins with in matters of access (see
    app/core/access_presets.py), and `guards` holds by table a filter that rows must pass whoever asks,
    administrators included, `{{user_id}}` standing for the asker; services/security reads all of them.
    `extends` maps a table name to mixin classes whose fields are added to that table's model; the
    model's own module must be in `info.depends`. `post_init_limit_seconds` is None by default, no limit: a
    data migration takes as long as it takes and can be cancelled."""

    info: ClassVar[Info]
    roles: ClassVar[Sequence[RolePreset]] = ()
    access: ClassVar[Mapping[str, Mapping[str, ACL]]] = MappingProxyType({})
    rules: ClassVar[Sequence[RulePreset]] = ()
    guards: ClassVar[Mapping[str, Sequence[Any]]] = MappingProxyType({})
    extends: ClassVar[Mapping[str, Sequence[type[DotModel]]]] = MappingProxyType({})
    post_init_limit_seconds: ClassVar[float | None] = None

    def __init__(self, env: Environment) -> None:
        self.env = env

    def routines(self) -> Mapping[str, str]:
        """Functions and triggers that belong to the schema: by name the SQL that makes them.

        It runs when the tables are made or anything about the schema has changed, in the order of the
        modules; so it says CREATE OR REPLACE. Composed models are at hand as `self.env.registry`.
        """
        return {}

    def jobs(self) -> Sequence[Job]:
        """Work to be done at intervals, by one process of all; asked once, after all services were
        started. services/schedule does it."""
        return ()

    async def post_init(self, app: Starlette) -> None:
        """Bring default data up to date. Idempotent, and safe when several workers do it at once."""


class Service(App, ABC):
    """A module with something to open and to close.

    `startup` returns when the thing is usable. `shutdown` waits until it is over, may be called twice, and
    without or after a failed `startup`. Each is cancelled at its limit: 60 s leave room for a slow
    database and its first schema, and 15 s are more than HTTP__STOP_SECONDS by default, so that what
    drains at the end is not cut short."""

    startup_limit_seconds: ClassVar[float | None] = 60
    shutdown_limit_seconds: ClassVar[float | None] = 15

    @abstractmethod
    async def startup(self, app: Starlette) -> None:
        """Open it: on return it can be used."""

    @abstractmethod
    async def shutdown(self, app: Starlette) -> None:
        """Close it: on return it is gone."""


class AppsCore:
    """Base of a project's `Apps`: which modules it has, and in what order its services start.

    `installed` holds dotted packages (`services.users`, `mything.crm`); the last part is the module's
    name. `services_before` start before the routers are loaded, `services_after` after it, each in the
    order of its list.

    `env.apps` is an instance: iterating it gives the modules, dependencies first, and `env.apps["chat"]`
    one of them. Before `setup_services` it holds none."""

    installed: ClassVar[Sequence[str]] = ()
    services_before: ClassVar[Sequence[str]] = ()
    services_after: ClassVar[Sequence[str]] = ()

    def __init__(self, modules: Mapping[str, App]) -> None:
        self._modules = dict(modules)

    def __getitem__(self, name: str) -> App:
        return self._modules[name]

    def __contains__(self, name: str) -> bool:
        return name in self._modules

    def __iter__(self) -> Iterator[App]:
        return iter(self._modules.values())

    def __len__(self) -> int:
        return len(self._modules)
