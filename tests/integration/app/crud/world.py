"""A small company whose data is asked for over HTTP: models, people with different rights, the whole stack.

Behind the edge and the dispatcher of the real application stands a CrudTable on a real database; only the
verification of tokens and the policy are made up.
"""

import datetime as dt
import decimal
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Annotated, Any, Final

import msgspec
from starlette.responses import Response

from app.core.access import AccessSession
from app.crud.actions import action
from app.crud.exports import ExportLimits
from app.crud.table import PREFIX, CrudTable
from app.http.bodies import Body, Request
from app.http.dispatch import Dispatcher
from app.http.edge import Edge
from app.http.replies import Reply
from app.http.routing import Router
from orm import (
    AccessDenied,
    Boolean,
    Char,
    Conflict,
    Database,
    Datetime,
    Decimal,
    DotModel,
    Grant,
    Integer,
    JSONField,
    Many2many,
    Many2one,
    One2many,
    Operation,
    Place,
    Ref,
    Registry,
    Text,
    context,
    utc_now,
)
from orm.access import UNLIMITED
from orm.filters.parse import BoundFilter, parse_filter
from orm.metadata import ModelMeta
from orm.schema.ddl import create_all
from tests.support.asgi import Answered, Client, http_scope
from tests.support.fake_environment import FakeAuthenticator, FakeSettings


class Person(DotModel):
    """Somebody; what hangs on the private and the hidden field must never be seen."""

    __table__ = "people"

    name: str = Char(max_length=40, required=True)
    email: str | None = Char(max_length=60, unique=True)
    password_hash: str | None = Text(private=True)
    salary: decimal.Decimal | None = Decimal(10, 2)
    tasks: list["Task"] = One2many("tasks", "owner_id")
    accounts: list["Account"] = One2many("accounts", "person_id")


class NewPerson(Body):
    """Who is hired by hand."""

    name: str


class Postponement(Body):
    """By how many days."""

    days: Annotated[int, msgspec.Meta(ge=1, le=365)]


class Task(DotModel):
    """Something to do. A user has the ones that he owns."""

    __table__ = "tasks"
    __unique__ = (("owner_id", "title"),)

    title: str = Char(max_length=20, min_length=1, required=True)
    note: str | None = Text()
    hours: decimal.Decimal | None = Decimal(6, 2, min=0)
    rank: int = Integer(default=0, min=-1000, max=1000)
    done: bool = Boolean(default=False)
    details: Any | None = JSONField()
    due_at: dt.datetime | None = Datetime()
    created_at: dt.datetime = Datetime(default=utc_now, readonly=True)
    token: str | None = Char(private=True)
    owner_id: Ref["Person"] = Many2one("people", required=True)
    parent_id: Ref["Task"] | None = Many2one("tasks", ondelete="restrict")
    children: list["Task"] = One2many("tasks", "parent_id")
    labels: list["Label"] = Many2many("labels", table="task_labels", column1="task_id", column2="label_id")
    notes: list["Journal"] = One2many("journal", "task_id")

    @action(body=Postponement)
    async def postpone(self, body: Postponement) -> "Task":
        """Do it some days later.

        A task without a day gets one.
        """
        return await self.update(due_at=(self.due_at or utc_now()) + dt.timedelta(days=body.days))

    @action(needs="read")
    async def gist(self) -> dict[str, str]:
        """The task in a word."""
        return {"gist": self.title}

    @action(status=201)
    async def split(self) -> Reply:
        """Halve it, which cannot work on the second half."""
        await self.update(note="first half")
        if not self.done:
            raise Conflict("This task cannot be halved.", errors=[Place("", "state", "it is not done")])
        return Reply({"halves": 2}, headers={"X-Halves": "2"})

    @action(needs="delete")
    async def drop(self) -> None:
        """Let go of it."""
        await self.delete()

    @action(needs="read")
    async def babble(self) -> object:
        """What is no JSON."""
        await Label.create(name="babble")
        return object()


class Label(DotModel):
    """A word that tasks are found again by."""

    __table__ = "labels"

    name: str = Char(max_length=20, required=True, unique=True)
    tasks: list["Task"] = Many2many("tasks", table="task_labels", column1="label_id", column2="task_id")


class Account(DotModel):
    """Money, which nobody changes without having looked at it."""

    __table__ = "accounts"
    __if_match__ = "required"

    name: str = Char(max_length=20, required=True, unique=True)
    balance: decimal.Decimal = Decimal(12, 2, default=decimal.Decimal(0))
    person_id: Ref["Person"] | None = Many2one("people")


class Journal(DotModel):
    """What happened: read over the API, written by the program alone."""

    __table__ = "journal"
    __auto_crud__ = "read"

    line: str = Text(required=True)
    task_id: Ref["Task"] | None = Many2one("tasks", ondelete="cascade")


class Vault(DotModel):
    """Nothing of this is on the API."""

    __table__ = "vaults"
    __auto_crud__ = False

    content: str = Text(required=True)


by_hand = Router(prefix="/api/by-hand")


@by_hand.post("/people", body=NewPerson, status=201)
async def hire(request: Request, body: NewPerson) -> Reply:
    """A person, made by a route that somebody wrote."""
    person = await Person.create(name=body.name)
    return Reply({"id": person.id, "name": person.name}, headers={"X-By": "hand"})


@by_hand.put("/teapot")
async def teapot(request: Request) -> Reply:
    """An error that is answered rather than raised, after something was written."""
    await Person.create(name="tea")
    return Reply({"tea": True}, status=418)


@by_hand.get("/text")
async def text(request: Request) -> Response:
    """What is no JSON."""
    return Response("plain words", media_type="text/plain")


MODELS: Final[Mapping[str, type[DotModel]]] = {
    "person": Person,
    "task": Task,
    "label": Label,
    "account": Account,
    "journal": Journal,
    "vault": Vault,
}

LIMITS: Final = ExportLimits(rows=2000, seconds=5)

SECRET: Final = "argon2-never-to-be-seen"

USERS: Final = ("admin", "bob", "cyd", "eve", "mute", "new")  # bob's id is 2, as it is among the people

WRITE_TASKS: Final[Mapping[tuple[str, str], Grant]] = {
    ("tasks", verb): UNLIMITED for verb in ("create", "update", "delete")
}

# Whoever may not read a row at all cannot refer to it either.
ONLY_IDS: Final = Grant(hidden=frozenset({"name", "email", "salary", "tasks", "accounts"}))

DATA: Final = f"""
TRUNCATE people, tasks, labels, accounts, journal, vaults RESTART IDENTITY CASCADE;
INSERT INTO people (name, email, password_hash, salary) VALUES
    ('Ada', 'ada@example.org', '{SECRET}', 90.5),
    ('Bob', 'bob@example.org', '{SECRET}', 80.25),
    ('Cyd', NULL, NULL, NULL);
INSERT INTO tasks (title, note, hours, rank, done, details, due_at, created_at, owner_id, parent_id) VALUES
    ('sow', 'in rows', 1.50, 3, true, '{{"tool": "hoe"}}', '2026-03-01 08:00Z', '2026-01-01 00:00Z', 1, NULL),
    ('water', NULL, 0.25, 1, false, NULL, NULL, '2026-01-02 00:00Z', 1, 1),
    ('reap', NULL, 12, 2, false, '[1, null]', '2026-08-01T10:00:00.5Z', '2026-01-03 00:00Z', 2, NULL),
    ('rest', '', NULL, 5, false, NULL, NULL, '2026-01-04 00:00Z', 2, 3);
UPDATE tasks SET token = '{SECRET}';
INSERT INTO labels (name) VALUES ('garden'), ('field'), ('house');
INSERT INTO task_labels (task_id, label_id) VALUES (1, 1), (1, 2), (2, 1), (3, 2);
INSERT INTO accounts (name, balance, person_id) VALUES ('cash', 10, 1), ('bank', 20, 2);
INSERT INTO journal (line) VALUES ('spring came');
INSERT INTO vaults (content) VALUES ('{SECRET}');
"""


def _owned_by(model: ModelMeta, user_id: int) -> BoundFilter | None:
    return parse_filter(model, [["owner_id", "=", user_id]]) if model.table == "tasks" else None


class CompanyPolicy:
    """admin may do everything; bob has his own tasks, cannot rank them and sees no salaries; cyd may write
    every task and sees his own; eve sees neither owners nor hours and writes nothing; mute may write tasks
    and read nothing but the ids of people; new may do nothing at all.
    """

    def grant(self, asker: object | None, model: ModelMeta, operation: Operation) -> Grant:
        """See AccessPolicy."""
        assert isinstance(asker, AccessSession)
        if asker.login == "admin":
            return UNLIMITED
        grants: dict[str, Mapping[tuple[str, str], Grant]] = {
            "bob": self._own_tasks(model, asker.user_id),
            "cyd": {**WRITE_TASKS, ("tasks", "read"): Grant(rule=_owned_by(model, asker.user_id))},
            "eve": {("tasks", "read"): Grant(hidden=frozenset({"owner_id", "hours"}))},
            "mute": {**WRITE_TASKS, ("people", "read"): ONLY_IDS},
        }
        found = grants.get(asker.login, {}).get((model.table, operation))
        if found is None:
            raise AccessDenied(f"you may not {operation} {model.table}")
        return found

    @staticmethod
    def _own_tasks(model: ModelMeta, user_id: int) -> dict[tuple[str, str], Grant]:
        own = _owned_by(model, user_id)
        may_write = Grant(rule=own, hidden=frozenset({"rank"}))
        return {
            ("people", "read"): Grant(hidden=frozenset({"salary"})),
            ("tasks", "read"): Grant(rule=own),
            ("tasks", "create"): may_write,
            ("tasks", "update"): may_write,
            ("tasks", "delete"): Grant(rule=own),
            ("journal", "read"): UNLIMITED,
        }


class World:
    """The running stack: an environment as the edge sees it, and the way to ask it something."""

    def __init__(self, db: Database, registry: Registry) -> None:
        self.db = db
        self.registry = registry
        self.policy = CompanyPolicy()
        self.settings = FakeSettings()
        self.worker = "w0rker"
        self.is_ready = True
        self.authenticator = FakeAuthenticator()
        for number, login in enumerate(USERS, 1):
            self.authenticator.remembered[login] = AccessSession(user_id=number, login=login, name=login)
        dispatcher = Dispatcher()
        dispatcher.include(by_hand, private=True, module="company")
        dispatcher.mount(PREFIX, CrudTable(registry, exports=LIMITS, dispatcher=dispatcher, batch_seconds=5))
        self.app = Edge(dispatcher, env=self)

    def marks(self) -> Mapping[str, str]:
        """See Home."""
        return {}

    async def ask(
        self,
        who: str | None,
        method: str,
        path: str,
        body: object = msgspec.UNSET,
        *,
        content_type: str = "application/json",
        root: str = "",
        **headers_given: str,
    ) -> Answered:
        """The answer to one request of `who`; `path` may have a query. A `body` of bytes is sent as it is.

        `root` is the path that the whole application is served under. Other names are headers, written as
        in `if_match="*"`.
        """
        path, _, query = path.partition("?")
        headers = [] if who is None else [("authorization", f"Bearer {who}")]
        headers += [(name.replace("_", "-"), value) for name, value in headers_given.items()]
        text = b""
        if body is not msgspec.UNSET:
            text = body if isinstance(body, bytes) else msgspec.json.encode(body)
            headers += [("content-type", content_type), ("content-length", str(len(text)))]
        client = Client(text)
        scope = http_scope(method, root + path, headers=headers, query=query)
        await self.app({**scope, "root_path": root}, client.receive, client.send)
        return client.answered()

    async def get(self, path: str, *, who: str = "admin") -> Any:
        """The JSON of a GET that works."""
        answer = await self.ask(who, "GET", path)
        assert answer.status == 200, answer.body
        return answer.json()

    async def rows(self, table: str) -> int:
        """How many rows a table has."""
        count: int = await self.db.fetchval(f"SELECT count(*) FROM {table}")
        return count

    async def refill(self) -> None:
        """The tables are as they were in the beginning."""
        await self.db.execute(DATA)


@asynccontextmanager
async def company(
    database_url: str, *, models: Mapping[str, type[DotModel]] = MODELS
) -> AsyncIterator[World]:
    """The world on an empty database; with other `models` its tables stay empty."""
    logging.getLogger("starling.access").setLevel(logging.WARNING)
    registry = Registry.compose(models)
    db = Database(database_url, max_size=4)
    db.registry = registry
    await db.open()
    try:
        for statement in create_all(registry):
            await db.execute(statement)
        world = World(db, registry)
        if models is MODELS:
            await world.refill()
        with context.bind(world):
            yield world
    finally:
        await db.close()
