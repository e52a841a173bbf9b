"""The load under which faults happen: requests at a fixed rate, people who listen on WebSockets, and a
reckoning of what was said to be stored against what is.

Three in five requests read, one makes a record (with an Idempotency-Key), one posts a message (with a nonce).
A write that is not acknowledged is sent again with the same key, when the answer says so (Retry-After is a
second) or soon where there was none, as a careful client does; each time counts as a request.
"""

import asyncio
import contextlib
import itertools
import json
import random
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from time import monotonic
from typing import Final, NamedTuple

import asyncpg

from tests.support.eventually import eventually
from tests.support.faults.listener import Listener
from tests.support.faults.people import People, Person
from tests.support.faults.wire import Got, Wire

_PAUSE_SECONDS: Final = 0.2
_RETRY_AFTER_SECONDS: Final = 1.0
_GIVEN_UP_SECONDS: Final = 90.0
_HEARD_SECONDS: Final = 60.0


class Outcome(NamedTuple):
    """What came of a load. `lost` were acknowledged and are not there, or were not told to somebody;
    `doubled` are there, or were told, twice."""

    requests: int
    failed: int
    lost: int
    doubled: int
    recovery_seconds: float
    answers: str


class BaseLoad:
    """`per_second` requests of `people`, all of whom listen while it runs.

    `answers` counts by status, or by the name of the error; `refusals` by what they said."""

    def __init__(self, port: int, people: People, *, per_second: float = 200.0) -> None:
        self.answers: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        self._name = secrets.token_hex(4)
        self._people = people
        self._per_second = per_second
        self._wire = Wire(port)
        self._tasks: set[asyncio.Task[None]] = set()
        self._records: set[str] = set()
        self._messages: set[str] = set()
        self._faults: list[float] = []
        self._troubled_at: list[float] = []
        url = f"ws://127.0.0.1:{port}/ws/chat"
        self._listeners = [Listener(url, person) for person in people.persons]

    @property
    def live(self) -> int:
        """Listeners that are connected."""
        return sum(listener.is_live for listener in self._listeners)

    async def everybody_is_live(self) -> None:
        """Return when all listeners are connected."""
        await eventually(lambda: self.live == len(self._listeners), within_seconds=60)

    def fault(self) -> None:
        """Note that something happens now: recovery is counted from here."""
        self._faults.append(monotonic())

    def drop(self, count: int) -> None:
        """So many listeners lose their connections, as networks do; they come back by themselves."""
        for listener in random.sample(self._listeners, count):
            listener.client.drop()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Inside the block there is load; on return every request has come to an end."""
        async with contextlib.AsyncExitStack() as stack:
            for listener in self._listeners:
                await stack.enter_async_context(listener.listening())
            await self.everybody_is_live()
            heads = await self._heads()
            for listener in self._listeners:
                listener.begin(heads)
            tasks = [asyncio.create_task(self._send()), asyncio.create_task(self._watch())]
            try:
                yield
                await self.everybody_is_live()
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)
                if self._tasks:
                    await asyncio.wait(self._tasks)
            await self._all_heard()
            await self._wire.close()

    async def outcome(self, database_url: str) -> Outcome:
        """What came of it, by what the database holds now."""
        connection = await asyncpg.connect(database_url)
        try:
            records = Counter(row[0] for row in await connection.fetch(_RECORDS))
            messages = Counter(row[0] for row in await connection.fetch(_MESSAGES))
        finally:
            await connection.close()
        lost = len(self._records - records.keys()) + len(self._messages - messages.keys())
        doubled = sum(count - 1 for count in (*records.values(), *messages.values()))
        return Outcome(
            requests=self.answers.total(),
            failed=sum(count for what, count in self.answers.items() if what not in ("200", "201")),
            lost=lost + sum(listener.lost for listener in self._listeners),
            doubled=doubled + sum(listener.doubled for listener in self._listeners),
            recovery_seconds=self._recovery_seconds(),
            answers=" ".join(f"{what}:{count}" for what, count in sorted(self.answers.items())),
        )

    def _recovery_seconds(self) -> float:
        """The longest time from a fault to the last trouble before the next one."""
        longest = 0.0
        for fault, following in itertools.pairwise([*self._faults, float("inf")]):
            troubles = [at - fault for at in self._troubled_at if fault <= at < following]
            longest = max(longest, *troubles) if troubles else longest
        return longest

    async def _heads(self) -> dict[int, int]:
        """The seq of the last event of each chat."""
        heads: dict[int, int] = {}
        for chat_id in {person.chat_id for person in self._people.persons}:
            got = await self._wire.ask("GET", f"/chats/{chat_id}", token=self._people.admin)
            heads[chat_id] = json.loads(got.body)["last_seq"]
        return heads

    async def _all_heard(self) -> None:
        heads = await self._heads()
        with contextlib.suppress(AssertionError):  # what was not heard counts as lost
            await eventually(
                lambda: all(one.missing(heads) == 0 for one in self._listeners),
                within_seconds=_HEARD_SECONDS,
            )
        for listener in self._listeners:
            listener.lost += listener.missing(heads)

    async def _watch(self) -> None:
        while True:
            if self.live < len(self._listeners):
                self._troubled_at.append(monotonic())
            await asyncio.sleep(0.05)

    async def _send(self) -> None:
        began = monotonic()
        for number in itertools.count(1):
            person = random.choice(self._people.persons)
            work = (self._read, self._read, self._read, self._record, self._message)[number % 5]
            task = asyncio.create_task(work(person, f"{self._name}-{number}"))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            await asyncio.sleep(max(0.0, began + number / self._per_second - monotonic()))

    async def _read(self, person: Person, name: str) -> None:
        await self._ask("GET", "/api/partners?limit=5&order=-id", person)

    async def _record(self, person: Person, name: str) -> None:
        body = json.dumps({"name": name}).encode()
        if await self._stored("/api/partners", person, body, f"Idempotency-Key: {name}\r\n"):
            self._records.add(name)

    async def _message(self, person: Person, name: str) -> None:
        body = json.dumps({"body": name, "nonce": name}).encode()
        if await self._stored(f"/chats/{person.chat_id}/messages", person, body):
            self._messages.add(name)

    async def _stored(self, path: str, person: Person, body: bytes, headers: str = "") -> bool:
        """Whether the write was acknowledged, sooner or later."""
        deadline = monotonic() + _GIVEN_UP_SECONDS
        while monotonic() < deadline:
            got = await self._ask("POST", path, person, body, headers)
            if got is not None and got.status in (200, 201):
                return True
            pause = _PAUSE_SECONDS if got is None else _RETRY_AFTER_SECONDS
            await asyncio.sleep(pause * random.uniform(1.0, 1.5))
        return False

    async def _ask(
        self, method: str, path: str, person: Person, body: bytes = b"", headers: str = ""
    ) -> Got | None:
        try:
            got = await self._wire.ask(method, path, token=person.token, body=body, headers=headers)
        except (OSError, EOFError, TimeoutError) as error:
            self._note(type(error).__name__)
            return None
        self._note(str(got.status))
        if got.status >= 400:
            self.refusals[json.loads(got.body)["detail"]] += 1
        return got

    def _note(self, what: str) -> None:
        self.answers[what] += 1
        if what not in ("200", "201"):
            self._troubled_at.append(monotonic())


_RECORDS: Final = "SELECT name FROM partners"
_MESSAGES: Final = "SELECT body FROM chat_messages"
