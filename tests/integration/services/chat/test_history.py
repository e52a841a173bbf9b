"""Nothing that was said is lost, doubled or out of order, whatever happens on the way: seen from outside."""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from tests.integration.app.realtime.recorder import Wire
from tests.integration.services.chat.rig import all_messages, served, whole_log
from tests.integration.services.chat.world import Person, chat_application, newcomer
from tests.support.chat_history import History
from tests.support.chat_talkers import Talker, talking
from tests.support.databases import fresh_database
from tests.support.eventually import eventually

Fault = Callable[[], Awaitable[None]]


class Rig:
    """Two workers on one database, each behind a network that can be cut; four people in two chats."""

    def __init__(self, people: list[Person], histories: list[History], wires: list[Wire]) -> None:
        self.people = people
        self.histories = histories
        self.wires = wires
        urls = [f"ws://127.0.0.1:{wire.port}/ws/chat" for wire in wires]
        self.talkers = [Talker(who.login, who.token, urls, histories) for who in people]

    async def cut_the_network(self) -> None:
        """All connections to one of the workers are lost."""
        random.choice(self.wires).cut()

    async def end_the_listeners(self) -> None:
        """The connections that carry events between the workers are lost."""
        await self._end("query LIKE '%pg_notify%' OR query = 'SELECT 1' OR query LIKE 'LISTEN%'")

    async def end_all_backends(self) -> None:
        """Every connection to the database is lost, as when it is restarted."""
        await self._end("true")

    async def _end(self, which: str) -> None:
        db = self.people[0].running.env.db
        await db.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            f"WHERE datname = current_database() AND pid <> pg_backend_pid() AND ({which})"
        )

    async def run(self, *, messages: int, faults: Sequence[Fault], pause_seconds: float) -> None:
        """Everybody talks while the faults happen, one after the other; then the history is checked."""

        async def fail() -> None:
            for fault in faults:
                await asyncio.sleep(random.uniform(0.05, 0.15))
                await fault()

        async with talking(self.talkers):
            texts = [[f"{one.login} {number}" for number in range(messages)] for one in self.talkers]
            async with asyncio.timeout(messages * pause_seconds * 4 + 60):
                await asyncio.gather(
                    fail(),
                    *(
                        talker.talk(said, pause_seconds=pause_seconds)
                        for talker, said in zip(self.talkers, texts, strict=True)
                    ),
                )
            asker = self.people[0]
            heads = {
                history.chat_id: (await asker.get(f"/chats/{history.chat_id}"))["last_seq"]
                for history in self.histories
            }
            await eventually(lambda: all(talker.has_heard(heads) for talker in self.talkers))
        said = list(itertools.chain.from_iterable(texts))
        assert {body for history in self.histories for body in history.acknowledged} == set(said)
        for history in self.histories:
            log = await whole_log(asker, history.chat_id)
            history.check(log, await all_messages(asker, history.chat_id))


@asynccontextmanager
async def rig(server_url: str) -> AsyncIterator[Rig]:
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(fresh_database(server_url))
        workers = [await stack.enter_async_context(chat_application(url)) for _ in range(2)]
        wires = []
        for worker in workers:
            port = await stack.enter_async_context(served(worker.app))
            wires.append(await stack.enter_async_context(Wire(f"http://127.0.0.1:{port}")))
        people = [await newcomer(workers[0], f"p{number}") for number in range(4)]
        histories = [History(await people[0].group(*people[1:])) for _ in range(2)]
        yield Rig(people, histories, wires)


async def test_nothing_is_lost_doubled_or_out_of_order_while_connections_break(server_url: str) -> None:
    async with rig(server_url) as made:
        faults = [made.cut_the_network, made.end_the_listeners, made.cut_the_network, made.end_the_listeners]
        await made.run(messages=40, faults=faults, pause_seconds=0.01)
        assert sum(talker.connections for talker in made.talkers) > len(made.talkers)


@pytest.mark.faults
async def test_nothing_is_lost_doubled_or_out_of_order_in_a_bad_night(server_url: str) -> None:
    async with rig(server_url) as made:
        faults = [made.cut_the_network, made.end_the_listeners, made.end_all_backends]
        faults = random.choices(faults, k=300)
        await made.run(messages=1_000, faults=faults, pause_seconds=0.02)


def test_the_checker_finds_what_is_lost_doubled_swapped_or_different() -> None:
    def message(seq: int, body: str = "") -> dict[str, object]:
        return {"type": "new_message", "seq": seq, "message": {"id": 10 + seq, "body": body or f"m{seq}"}}

    log = [message(seq) for seq in (1, 2, 3)]
    messages = [event["message"] for event in log]

    def history(*told: object) -> History:
        made = History(7)
        made.acknowledge("m2", 12, 2)
        stream = made.stream("ada")
        stream.told.extend(told)  # type: ignore[arg-type]
        return made

    history(*log).check(log, messages)  # type: ignore[arg-type]
    history(log[0], 2, log[2]).check(log, messages)  # type: ignore[arg-type]
    for told in (
        log[:2],
        [log[0], log[2]],
        [log[0], log[0], *log[1:]],
        [log[1], log[0], log[2]],
        [*log[:2], message(3, "other")],
    ):
        with pytest.raises(AssertionError):
            history(*told).check(log, messages)  # type: ignore[arg-type]
    for other_log, other_messages in (
        ([log[0], log[2]], [messages[0], messages[2]]),
        ([*log, message(4, "m2")], [*messages, {"id": 14, "body": "m2"}]),
        (log, messages[:2]),
    ):
        with pytest.raises(AssertionError):
            history(*other_log).check(other_log, other_messages)  # type: ignore[arg-type]
