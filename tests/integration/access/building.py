"""The building that the access matrix walks through: the whole project with the office in it, people with
every kind of rights, and what each of them should see of each table, asked of the database in plain SQL."""

import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import asyncpg

from app.core.service import AppsCore
from app.project_setup import Apps, Models, Settings
from app.testing.application import StarlingApp, started
from app.testing.client import Client
from app.testing.project import Project
from orm.metadata import ModelMeta
from tests.integration.access import oracle
from tests.integration.access.office.models import Drawer, Folder, Paper, PaperLine, Tag
from tests.integration.access.office_rows import ORIGINS, fill, read


class WithOffice(Models):
    """The project's models, and the office's."""

    folder = Folder
    paper = Paper
    paper_line = PaperLine
    tag = Tag
    drawer = Drawer


class WithOfficeApps(AppsCore):
    """The project's modules, and the office."""

    installed = (*Apps.installed, "tests.integration.access.office")
    services_before = Apps.services_before
    services_after = Apps.services_after


@dataclass(frozen=True)
class Asker:
    """Somebody who is signed in, and what the oracle says of people of his kind."""

    name: str
    kind: str
    rights: Mapping[str, oracle.Predicates]
    client: Client

    @property
    def id(self) -> int:
        return self.client.id


KINDS: Final[Mapping[str, tuple[str, list[str] | None, Mapping[str, oracle.Predicates]]]] = {
    "nil": ("nobody", [], {}),
    "new": ("newcomer", None, oracle.BASE_USER),
    "ada": ("clerk", ["clerk"], oracle.CLERK),
    "bob": ("clerk", ["clerk"], oracle.CLERK),
    "ida": ("auditor", ["auditor"], oracle.AUDITOR),
    "max": ("boss", ["boss"], oracle.BOSS),
    "mia": ("manager", ["manager"], oracle.MANAGER),
}
"""Kind, roles and rights by login."""


class Building:
    """The started project with its rows and its people. `problems` are what was found to be wrong."""

    def __init__(self, starling: StarlingApp, connection: "asyncpg.Connection[Any]") -> None:
        self.starling = starling
        self.connection = connection
        self.askers: dict[str, Asker] = {}
        self.problems: list[str] = []
        self.rows: dict[str, dict[int, Mapping[str, Any]]] = {}
        self.links: dict[str, list[Mapping[str, Any]]] = {}
        self._sights: dict[tuple[str, str, str], frozenset[int] | None] = {}
        self._forbidden: dict[str, frozenset[str]] = {}

    @property
    def models(self) -> list[ModelMeta]:
        """The models that have an API."""
        return [meta for meta in self.starling.env.registry if meta.auto_crud]

    def meta(self, table: str) -> ModelMeta:
        found = self.starling.env.registry.table(table)
        assert found is not None
        return found

    async def settle(self) -> None:
        """Everybody moves in."""
        for login, (kind, roles, rights) in KINDS.items():
            client = await self.starling.as_user(login, roles=roles)
            self.askers[login] = Asker(login, kind, rights, client)
        # What her key may: nothing but what she may, of the tables that it names.
        scoped = {"papers": {"read": oracle.CLERK["papers"]["read"]}, "folders": oracle.CLERK["folders"]}
        self.askers["key"] = Asker(
            "key", "clerk", scoped, await self._key_of("ada", "papers:read", "folders:*")
        )
        root = await self.starling.as_admin()
        self.askers["root"] = Asker("root", "administrator", oracle.ADMINISTRATOR, root)
        gone = await self.starling.as_user("canary.users.gone.login.")
        assert (await root.patch(f"/api/users/{gone.id}", json={"active": False})).status_code == 200
        await fill(self.connection, {name: asker.id for name, asker in self.askers.items()})
        await self._talk()
        self.rows, self.links = await read(self.connection, self.models)

    async def leaks(self, asker: Asker, text: str, *, but_for: str) -> list[str]:
        """The canaries in a text that he may not see, and did not send himself."""
        if asker.name not in self._forbidden:
            self._forbidden[asker.name] = frozenset([one async for one in self._canaries_not_for(asker)])
        return [one for one in self._forbidden[asker.name] if one in text and one not in but_for]

    async def _canaries_not_for(self, asker: Asker) -> AsyncIterator[str]:
        for meta in self.models:
            seen = await self.ids(asker, meta.table, "read") or frozenset()
            for key, row in self.rows[meta.table].items():
                for name, value in row.items():
                    origin = ORIGINS.get((meta.table, name))
                    is_canary = origin is not None or (isinstance(value, str) and value.startswith("canary."))
                    if is_canary and (key not in seen or not may_read(asker, meta.table, name)):
                        yield str(value if origin is None else origin + key)

    async def _key_of(self, login: str, *scopes: str) -> Client:
        owner = self.askers[login].client
        answer = await owner.post("/api_keys", json={"name": "a key", "scopes": scopes})
        assert answer.status_code == 201, answer.text
        client = await self.starling.client(token=answer.json()["key"])
        client.user = owner.user
        return client

    async def _talk(self) -> None:
        for name, others in (("ada", ["bob"]), ("bob", ["mia", "max"])):
            body = {
                "chat_type": "group",
                "name": f"canary.chats.{name}.name.",
                "user_ids": [self.askers[other].id for other in others],
            }
            client = self.askers[name].client
            answer = await client.post("/chats", json=body)
            assert answer.status_code == 201, answer.text
            said = {"body": f"canary.chat_messages.{name}.body."}
            answer = await client.post(f"/chats/{answer.json()['id']}/messages", json=said)
            assert answer.status_code == 201, answer.text

    async def ids(self, asker: Asker, table: str, operation: str) -> frozenset[int] | None:
        """The ids that the oracle lets `asker` touch, None when he has no right on the table."""
        key = (asker.name, table, operation)
        if key not in self._sights:
            predicate = asker.rights.get(table, {}).get(operation)
            if predicate is None:
                self._sights[key] = None
            else:
                self._sights[key] = await self.passing(asker, table, predicate)
        return self._sights[key]

    async def passing(self, asker: Asker, table: str, predicate: str) -> frozenset[int]:
        """The ids of the rows that pass a predicate now."""
        sql = f"SELECT t.id FROM {table} t WHERE $1::bigint IS NOT NULL AND ({predicate})"
        return frozenset(row["id"] for row in await self.connection.fetch(sql, asker.id))


def may_read(asker: Asker, table: str, name: str) -> bool:
    """Whether the field may be named."""
    if (table, name) in oracle.PRIVATE:
        return False
    kinds = oracle.KEPT_FOR.get((table, name))
    return kinds is None or asker.kind == "administrator" or asker.kind in kinds


@asynccontextmanager
async def open_building(database_url: str) -> AsyncIterator[Building]:
    """The building on an empty database, everybody in it."""
    project = Project(Settings, WithOffice, WithOfficeApps)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="starling-access-")))
        starling = await stack.enter_async_context(started(project, database_url, folder / "data", {}))
        connection = await asyncpg.connect(database_url)
        stack.push_async_callback(connection.close)
        building = Building(starling, connection)
        await building.settle()
        yield building
