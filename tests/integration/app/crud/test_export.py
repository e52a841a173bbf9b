"""GET /api/{route}/export: whole files, and files that must not seem whole."""

import asyncio
import csv
import io
import tracemalloc
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from starlette.types import Message

from app.core.errors import TooManyRequests
from app.crud.exporting import BATCH
from app.crud.exports import ExportLimits, Exports
from app.crud.table import PREFIX, CrudTable
from app.http.answers import BrokenAnswerError
from app.http.dispatch import Dispatcher
from app.http.edge import Edge
from tests.integration.app.crud.cases import Case, check, table
from tests.integration.app.crud.world import LIMITS, World
from tests.support.asgi import Client, http_scope
from tests.support.eventually import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATH = "/api/tasks/export"
MOST = LIMITS.rows


async def fill(world: World, rows: int) -> None:
    """Add so many tasks of Ada's."""
    await world.db.execute(
        "INSERT INTO tasks (title, owner_id, created_at)"
        f" SELECT 't' || n, 1, now() FROM generate_series(1, {rows}) n"
    )


async def test_a_csv_file_has_a_line_for_each_row(world: World) -> None:
    await world.ask("admin", "PATCH", "/api/tasks/4", {"note": '=cmd|"/c calc"!A1'})
    fields = "title,note,hours,done,details,due_at,owner_id,owner_id.name,parent_id.title"
    answer = await world.ask("admin", "GET", f"{PATH}?format=csv&order=-id&fields={fields}")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert answer.headers["content-disposition"] == 'attachment; filename="tasks.csv"'
    assert "content-length" not in answer.headers
    text = answer.body.decode()
    assert text.endswith("\r\n")
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert rows == [
        ["id", *fields.split(",")],
        ["4", "rest", '\'=cmd|"/c calc"!A1', "", "false", "", "", "2", "Bob", "reap"],
        ["3", "reap", "", "12.00", "false", "[1,null]", "2026-08-01T10:00:00.500000Z", "2", "Bob", ""],
        ["2", "water", "", "0.25", "false", "", "", "1", "Ada", "sow"],
        ["1", "sow", "in rows", "1.50", "true", '{"tool":"hoe"}', "2026-03-01T08:00:00Z", "1", "Ada", ""],
    ]


async def test_a_file_of_json_lines_has_the_objects_of_a_list(world: World) -> None:
    for who, query in (("admin", ""), ("bob", "&order=-rank"), ("eve", "&fields=title,rank")):
        answer = await world.ask(who, "GET", f"{PATH}?format=jsonl{query}")
        assert answer.headers["content-type"] == "application/jsonl; charset=utf-8"
        assert answer.headers["content-disposition"] == 'attachment; filename="tasks.jsonl"'
        listed = await world.get(f"/api/tasks?{query}", who=who)
        assert [msgspec.json.decode(line) for line in answer.body.splitlines()] == listed["data"]
        assert answer.body.endswith(b"\n")


async def test_head_tells_of_the_file_without_asking_for_its_rows(world: World) -> None:
    before = world.db.pool.round_trips
    head = await world.ask("admin", "HEAD", f"{PATH}?format=jsonl")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-disposition"] == 'attachment; filename="tasks.jsonl"'
    assert (await world.ask("admin", "HEAD", f"{PATH}?fields=token")).status == 403
    assert world.db.pool.round_trips == before


async def test_without_rows_a_file_has_its_head(world: World) -> None:
    nothing = "filter=" + quote('[["id","=",99]]')
    answer = await world.ask("admin", "GET", f"{PATH}?{nothing}&fields=title")
    assert (answer.body, answer.is_complete) == (b"id,title\r\n", True)
    answer = await world.ask("admin", "GET", f"{PATH}?{nothing}&format=jsonl")
    assert (answer.status, answer.body, answer.is_complete) == (200, b"", True)


async def test_by_default_every_readable_stored_field_is_there(world: World) -> None:
    answer = await world.ask("eve", "GET", PATH)
    head = answer.body.decode().splitlines()[0].split(",")
    assert head == list((await world.get("/api/tasks/1", who="eve")).keys())


async def test_a_file_is_sent_in_parts_and_its_rows_are_of_one_moment(world: World) -> None:
    await fill(world, 3 * BATCH)
    answer = await world.ask("admin", "GET", f"{PATH}?format=jsonl&fields=title")
    parts = [message for message in answer.messages if message["type"] == "http.response.body"]
    assert [len(part["body"].splitlines()) for part in parts] == [BATCH, BATCH, BATCH, 4, 0, 0]
    assert len(answer.body.splitlines()) == 3 * BATCH + 4
    limited = await world.ask("admin", "GET", f"{PATH}?format=jsonl&fields=title&limit={BATCH + 1}")
    assert limited.body.splitlines() == answer.body.splitlines()[: BATCH + 1]


async def test_more_rows_than_a_file_may_have_are_refused_unless_a_part_will_do(world: World) -> None:
    await fill(world, MOST - 4)
    assert (await world.ask("admin", "GET", f"{PATH}?format=jsonl")).body.count(b"\n") == MOST
    await fill_one_more(world)
    await check(world, Case("admin", "GET", PATH, 422, places={"/query/filter": "too_many"}))
    part = await world.ask("admin", "GET", f"{PATH}?format=jsonl&limit={MOST}")
    assert part.body.count(b"\n") == MOST
    assert (await world.ask("bob", "GET", f"{PATH}?format=jsonl")).body.count(b"\n") == 2


async def fill_one_more(world: World) -> None:
    """One task over the limit."""
    await world.db.execute("INSERT INTO tasks (title, owner_id, created_at) VALUES ('last', 1, now())")


def wrong(query: str, places: dict[str, str], who: str = "admin", status: int = 422) -> Case:
    return Case(who, "GET", f"{PATH}?{query}", status, places=places)


@table(
    wrong("format=xlsx", {"/query/format": "choice"}),
    wrong("format=csv&format=csv", {"/query/format": "doubled"}),
    wrong("limit=0&filter=1", {"/query/limit": "range", "/query/filter": "type"}),
    wrong(f"limit={MOST + 1}", {"/query/limit": "range"}),
    wrong("limit=1000000000", {"/query/limit": "range"}),
    wrong("offset=1&after=x&count=exact",
          {f"/query/{name}": "unknown" for name in ("offset", "after", "count")}),
    wrong("fields=title,labels", {"/query/fields/1": "to_many"}),
    wrong("fields=owner_id.tasks.title", {"/query/fields/0": "to_many"}),
    wrong("fields=colour", {"/query/fields/0": "unknown_field"}),
    wrong("fields=", {"/query/fields/0": "unknown_field"}),
    wrong("order=colour", {"/query/order/0": "unknown_field"}),
    wrong("filter=" + quote('[["colour","=",1]]'), {"/query/filter/0/0": "unknown_field"}),
    wrong("fields=token", {"/query/fields/0": "denied"}, status=403),
    wrong("fields=owner_id.password_hash", {"/query/fields/0": "denied"}, status=403),
    wrong("order=token", {"/query/order/0": "denied"}, status=403),
    wrong("filter=" + quote('[["token","is null"]]'), {"/query/filter/0/0": "denied"}, status=403),
    wrong("fields=hours", {"/query/fields/0": "denied"}, "eve", 403),
    Case("new", "GET", PATH, 403),
    Case("mute", "GET", PATH, 403),
    Case(None, "GET", PATH, 401),
    Case("admin", "POST", PATH, 405, {}),
    Case("admin", "GET", "/api/vaults/export", 404),
    Case("admin", "GET", "/api/journal/export", 200, contains=("spring came",)),
    Case("bob", "GET", "/api/people/export", 200, contains=("Ada",), lacks=("salary", "90.5")),
)  # fmt: skip
async def test_what_a_path_answers(world: World, case: Case) -> None:
    await check(world, case)


async def test_http_1_0_cannot_tell_half_a_file_from_a_whole_one(world: World) -> None:
    client = Client()
    scope = http_scope("GET", PATH, headers=[("authorization", "Bearer admin")])
    await world.app({**scope, "http_version": "1.0"}, client.receive, client.send)
    assert client.answered().status == 400


class SlowReader(Client):
    """A client that takes a moment for each part, or for ever; or leaves after so many parts."""

    def __init__(self, *, stalls: bool = False, leaves_after: int | None = None) -> None:
        super().__init__()
        self._stalls = stalls
        self._leaves_after = leaves_after
        self._has_left = asyncio.Event()
        self.has_part = asyncio.Event()
        self.parts = 0

    async def receive(self) -> Message:
        if self._parts:
            return await super().receive()
        await self._has_left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.sent.append(message)
        if message["type"] == "http.response.body":
            self.parts += 1
            self.has_part.set()
            if self._stalls:
                await asyncio.Event().wait()
            if self.parts == self._leaves_after:
                self._has_left.set()
                await asyncio.sleep(0)


async def all_given_back(world: World) -> None:
    """No connection is in use; one that ran raw SQL is on its way back, being reset."""
    await eventually(lambda: world.db.pool.idle == world.db.pool.size)


async def bounded(world: World, *, seconds: float) -> Edge:
    """The same application with so much time for exports, one place, and a file of many parts."""
    dispatcher = Dispatcher()
    dispatcher.mount(PREFIX, CrudTable(world.registry, exports=ExportLimits(seconds=seconds, at_once=1)))
    await fill(world, 4 * BATCH)
    return Edge(dispatcher, env=world)


def export_scope() -> dict[str, Any]:
    """The request for a file of many parts."""
    return http_scope(
        "GET", PATH, headers=[("authorization", "Bearer admin")], query="format=jsonl&fields=title"
    )


async def test_a_file_that_takes_too_long_does_not_look_complete(world: World) -> None:
    client = SlowReader(stalls=True)
    hurried = await bounded(world, seconds=1)
    with pytest.raises(BrokenAnswerError):  # which makes the server close the connection
        await hurried(export_scope(), client.receive, client.send)
    assert not client.answered().is_complete
    assert all(message.get("more_body") for message in client.sent[1:])
    assert (await world.ask("admin", "GET", "/api/tasks/1")).status == 200
    await all_given_back(world)


async def test_a_file_whose_client_has_left_is_read_no_further(world: World) -> None:
    client = SlowReader(leaves_after=1)
    edge = await bounded(world, seconds=60)
    await edge(export_scope(), client.receive, client.send)
    assert client.parts == 1
    assert not client.answered().is_complete
    await all_given_back(world)


async def test_a_connection_that_is_lost_in_the_middle_does_not_look_like_an_end(world: World) -> None:
    await fill(world, 2 * BATCH)
    client = Client()
    send = client.send

    async def cut(message: Message) -> None:
        await send(message)
        if message["type"] == "http.response.body" and len(client.sent) == 2:
            other = await world.db.connect()
            await other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND state = 'idle in transaction'"
            )
            await other.close()

    with pytest.raises(BrokenAnswerError):
        await world.app(export_scope(), client.receive, cut)
    assert not client.answered().is_complete


async def test_there_are_so_many_places_and_no_more() -> None:
    exports = Exports(ExportLimits(at_once=1))
    with exports.place():
        with pytest.raises(TooManyRequests) as caught, exports.place():
            raise AssertionError("there was a second place")
        assert caught.value.retry_after_seconds > 0
    with exports.place():
        pass


async def test_a_second_export_is_told_to_come_back(world: World) -> None:
    first, second = SlowReader(stalls=True), Client()
    edge = await bounded(world, seconds=60)
    running = asyncio.create_task(edge(export_scope(), first.receive, first.send))
    await first.has_part.wait()
    await edge(export_scope(), second.receive, second.send)
    answer = second.answered()
    assert (answer.status, answer.headers["retry-after"]) == (429, "5")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_memory_does_not_grow_with_the_file(world: World) -> None:
    await world.db.execute(
        "INSERT INTO tasks (title, owner_id, created_at, note)"
        f" SELECT 't' || n, 1, now(), repeat('x', 2000) FROM generate_series(1, {MOST - 4}) n"
    )

    async def drop(message: Message) -> None:
        """Read, and keep nothing."""

    peaks = []
    for query in (f"limit={BATCH}", f"limit={MOST}"):
        scope = {**export_scope(), "query_string": b"format=jsonl&" + query.encode()}
        client = Client()
        await world.app(scope, client.receive, drop)
        tracemalloc.start()
        client = Client()
        await world.app(scope, client.receive, drop)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 2.5  # four times the rows; a batch may be there beside the next one
