"""Which path and method is answered by what, and that it costs the same whatever the number of models."""

import gc
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from app.core.errors import MethodNotAllowed, NotFound, StartError
from app.crud.actions import action
from app.crud.table import CrudTable
from app.http.access_log import TEMPLATE
from app.http.dispatch import Dispatcher
from orm import Char, DotModel, Registry, context
from orm.declaration import ModelType
from tests.support.asgi import Client, call, http_scope, socket_scope


class Note(DotModel):
    __table__ = "notes"
    name: str = Char(required=True)

    @action()
    async def read_aloud(self) -> None:
        """Say what it is called."""


class Entry(DotModel):
    __table__ = "entries"
    __route__ = "log-entries"
    __auto_crud__ = "read"


class Hidden(DotModel):
    __table__ = "hidden"
    __auto_crud__ = False


class CannedDatabase:
    """Answers every statement with the same rows."""

    def __init__(self, rows: Sequence[Sequence[Any]]) -> None:
        self._rows = rows

    async def run(self, text: str, values: Sequence[Any] = ()) -> Sequence[Sequence[Any]]:
        """See Database."""
        return self._rows

    async def run_tagged(self, text: str, values: Sequence[Any] = ()) -> tuple[Sequence[Sequence[Any]], str]:
        """See Database."""
        return self._rows, f"UPDATE {len(self._rows)}"


class CannedHome:
    """A home of that database. A row has an id, a name and a version."""

    policy = None

    def __init__(self, registry: Registry, rows: Sequence[Sequence[Any]] = ((7, "x", "1"),)) -> None:
        self.registry = registry
        self.db: Any = CannedDatabase(rows)

    def marks(self) -> Mapping[str, str]:
        """See Home."""
        return {}


MODELS = {"note": Note, "entry": Entry, "hidden": Hidden}


@pytest.fixture
def table() -> Iterator[CrudTable]:
    registry = Registry.compose(MODELS)
    with context.bind(CannedHome(registry)):
        yield CrudTable(registry, dispatcher=Dispatcher())


EVERY_METHOD = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get", "")

PATHS = {
    "/api/notes": ["GET", "HEAD", "POST", "PATCH"],
    "/api/notes/7": ["GET", "HEAD", "PATCH", "DELETE"],
    "/api/notes/search": ["POST"],
    "/api/notes/delete": ["POST"],
    "/api/notes/aggregate": ["POST"],
    "/api/notes/fields": ["GET", "HEAD"],
    "/api/notes/defaults": ["GET", "HEAD"],
    "/api/notes/export": ["GET", "HEAD"],
    "/api/notes/7/read_aloud": ["POST"],
    "/api/batch": ["POST"],
    "/api/log-entries": ["GET", "HEAD"],
    "/api/log-entries/7": ["GET", "HEAD"],
    "/api/log-entries/search": ["POST"],
    "/api/log-entries/delete": [],
    "/api/log-entries/aggregate": ["POST"],
    "/api/log-entries/export": ["GET", "HEAD"],
}


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        (method, path, allowed)
        for path, allowed in PATHS.items()
        for method in EVERY_METHOD
        if method not in allowed
    ],
)
async def test_a_method_that_a_path_has_not_is_refused_with_those_that_it_has(
    table: CrudTable, method: str, path: str, allowed: list[str]
) -> None:
    with pytest.raises(MethodNotAllowed) as caught:
        await call(table, method, path)
    assert list(caught.value.allowed) == allowed


async def test_a_model_for_reading_says_so_where_it_is_written(table: CrudTable) -> None:
    with pytest.raises(MethodNotAllowed, match=r"/api/log-entries is read only here\. This path answers GET"):
        await call(table, "POST", "/api/log-entries", b"{}")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api",
        "/api/",
        "/api//",
        "/api/unknown",
        "/api/Notes",
        "/api/entries",  # the table's name is not the route
        "/api/hidden",
        "/api/hidden/7",
        "/api/notes/",
        "/api/notes/7/",
        "/api/notes//7",
        "/api/notes/seven",
        "/api/notes/-7",
        "/api/notes/7.0",
        f"/api/notes/{2**63}",
        "/api/notes/Search",
        "/api/notes/7/search",
        "/api/notes/seven/read_aloud",
        "/api/notes/7/read_aloud/",
        "/api/notes/7/read_aloud/1",
        "/api/log-entries/7/read_aloud",
        "/api/batch/",
        "/api/batch/1",
        "/api/notes/7/8/9/10/11",
        "/api/notes/__init__",
        "/api/notes/7'; DROP TABLE notes; --",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE", "PUT"])
async def test_a_path_that_names_nothing_is_unknown_whatever_the_method(
    table: CrudTable, method: str, path: str
) -> None:
    with pytest.raises(NotFound):
        await call(table, method, path)


@pytest.mark.parametrize("path", ["/api/notes", "/api/notes/7"])
async def test_there_are_no_sockets(table: CrudTable, path: str) -> None:
    client = Client()
    with pytest.raises(NotFound):
        await table(socket_scope(path), client.receive, client.send)


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/api/notes", "/api/notes"),
        ("/api/notes/7", "/api/notes/{id:int}"),
        ("/api/notes/search", "/api/notes/search"),
        ("/api/log-entries/7", "/api/log-entries/{id:int}"),
    ],
)
async def test_the_log_gets_a_template_also_for_what_is_refused(
    table: CrudTable, path: str, template: str
) -> None:
    scope, client = http_scope("PUT", path), Client()
    with pytest.raises(MethodNotAllowed):
        await table(scope, client.receive, client.send)
    assert scope[TEMPLATE] == template


async def test_an_application_below_a_path_of_its_own_is_asked_below_it(table: CrudTable) -> None:
    scope, client = http_scope("GET", "/below/api/notes/7"), Client()
    scope["root_path"] = "/below"
    await table(scope, client.receive, client.send)
    assert client.answered().json() == {"id": 7, "name": "x"}


async def test_no_model_can_have_the_route_of_batches() -> None:
    class Lot(DotModel):
        __table__ = "lots"
        __route__ = "batch"

    with pytest.raises(StartError, match="Lot wants the path /api/batch, where batches are answered"):
        CrudTable(Registry.compose({"lot": Lot}))


async def test_without_a_dispatcher_there_are_no_batches() -> None:
    with pytest.raises(NotFound):
        await call(CrudTable(Registry.compose(MODELS)), "POST", "/api/batch", b"[]")


def synthetic(count: int) -> Registry:
    """A registry of so many models of two columns."""
    names = [f"model_{number}" for number in range(count)]
    return Registry.compose(
        {
            name: ModelType(  # type: ignore[misc]
                name.title().replace("_", ""),
                (DotModel,),
                {"__table__": name, "__annotations__": {"name": str}, "name": Char(required=True)},
            )
            for name in names
        }
    )


async def calls_of_one_request(registry: Registry, method: str, path: str, body: bytes) -> int:
    """How many functions, of Python and of C, one request calls once everything has been used before."""
    table, made = CrudTable(registry), 0
    is_list = method == "GET" and path.count("/") == 2

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal made
        made += event in ("call", "c_call")

    with context.bind(CannedHome(registry, [(7, "x")] if is_list else [(7, "x", "1")])):
        for is_counted in (False, True):
            client = Client(body)
            scope = http_scope(method, path, headers=[("content-type", "application/json")])
            gc.disable()  # others may have put callbacks of theirs there
            sys.setprofile(count if is_counted else None)
            try:
                await table(scope, client.receive, client.send)
            finally:
                sys.setprofile(None)
                gc.enable()
    assert client.answered().status in (200, 201)
    return made


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/api/model_9/7", b""),
        ("GET", "/api/model_9", b""),
        ("PATCH", "/api/model_9/7", b'{"name": "y"}'),
        ("POST", "/api/model_9", b'{"name": "y"}'),
    ],
)
async def test_a_request_costs_the_same_with_ten_and_with_a_thousand_models(
    method: str, path: str, body: bytes
) -> None:
    few = await calls_of_one_request(synthetic(10), method, path, body)
    many = await calls_of_one_request(synthetic(1000), method, path, body)
    assert few == many


def test_nothing_is_made_of_a_model_before_it_is_written() -> None:
    table = CrudTable(synthetic(10))
    assert len(table.resources) == 10
    for resource in table.resources.values():
        assert vars(resource.bodies) == {"_decoders": {}}
