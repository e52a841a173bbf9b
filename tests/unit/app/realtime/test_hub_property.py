"""Whatever is lost, doubled or swapped on the way, and whenever somebody subscribes: no stream has a gap."""

import asyncio
from dataclasses import dataclass, field

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from app.realtime.events import Envelope, Frame, Head
from app.realtime.hub import Hub
from app.realtime.testing import MemoryEventLog, RecordingReceiver
from tests.support.eventually import eventually

TOPICS = ("chat:1", "chat:2")
USERS = (1, 2, 3)


class Moody(RecordingReceiver):
    """A receiver whose replay has to wait now and then."""

    async def drained(self) -> bool:
        if len(self.frames) % 3 == 0:
            await asyncio.sleep(0)
        return await super().drained()


class MoodyLog(MemoryEventLog):
    """A log that answers after some rounds of the loop, like a database, a few events at a time."""

    async def read(self, topic: str, after_seq: int, limit: int) -> list[Envelope]:
        for _ in range(after_seq % 3):
            await asyncio.sleep(0)
        answer = list(await super().read(topic, after_seq, min(limit, 4)))
        await asyncio.sleep(0)
        return answer


@dataclass
class Subscriber:
    receiver: Moody
    user_id: int
    topic: str
    admitted: int
    first: int
    given_up_at: int | None = None


@dataclass
class World:
    """The hub, what is under way to it, and who is subscribed."""

    hub: Hub
    log: MoodyLog = field(default_factory=MoodyLog)
    under_way: list[Envelope] = field(default_factory=list)
    subscribers: list[Subscriber] = field(default_factory=list)
    removals: dict[tuple[str, int], list[int]] = field(default_factory=dict)

    def head(self, topic: str) -> int:
        return len(self.log._events.get(topic, []))

    def members(self, topic: str) -> set[int]:
        return {
            user_id
            for user_id in USERS
            if not any(seq <= self.head(topic) for seq in self.removals.get((topic, user_id), []))
        }


# One step of a story: what happens, and a number that says to whom or how.
steps = st.lists(
    st.tuples(
        st.sampled_from(
            (
                "post",
                "post",
                "post",
                "remove",
                "deliver",
                "deliver",
                "double",
                "swap",
                "lose",
                "head",
                "subscribe",
                "resume",
                "leave",
                "gap",
                "turn",
                "turn",
            )
        ),
        st.integers(0, 11),
    ),
    max_size=60,
)


async def play(world: World, what: str, number: int) -> None:
    hub, log, under_way = world.hub, world.log, world.under_way
    topic, user_id = TOPICS[number % 2], USERS[number % 3]
    match what:
        case "post":
            under_way.append(log.append(topic))
        case "remove" if number < 3 and user_id in world.members(topic):
            event = log.append(topic, ends=(user_id,))
            world.removals.setdefault((topic, user_id), []).append(event.durable_seq)
            under_way.append(event)
        case "deliver" if under_way:
            hub.receive(under_way.pop(0))
        case "double" if under_way:
            hub.receive(under_way[number % len(under_way)])
        case "swap" if len(under_way) > 1:
            under_way.insert(0, under_way.pop(number % len(under_way)))
        case "lose" if under_way:
            under_way.pop(number % len(under_way))
        case "head" if under_way:
            large = under_way.pop(0)
            hub.receive(Head(large.topic, large.durable_seq))
        case "subscribe" | "resume" if user_id in world.members(topic):
            await subscribe(world, topic, user_id, number if what == "resume" else None)
        case "leave" if world.subscribers:
            leave(world, world.subscribers[number % len(world.subscribers)])
        case "gap":
            hub.gap()
        case "turn":
            for _ in range(number):
                await asyncio.sleep(0)


async def subscribe(world: World, topic: str, user_id: int, back: int | None) -> None:
    seq = world.head(topic)
    for _ in range(seq % 3):  # the right is looked up, and the world goes on before the hub hears of it
        world.under_way.append(world.log.append(topic))
        await asyncio.sleep(0)
    since = None if back is None else max(0, seq - back)
    receiver = Moody()
    world.hub.connect(receiver, user_id)
    world.hub.subscribe(receiver, topic, seq=seq, since=since, greeting=b"{}", reset=b'{"type":"reset"}')
    first = (seq if since is None else since) + 1
    world.subscribers.append(Subscriber(receiver, user_id, topic, seq, first))


def leave(world: World, subscriber: Subscriber) -> None:
    world.hub.disconnect(subscriber.receiver)
    if subscriber.given_up_at is None:
        subscriber.given_up_at = len(subscriber.receiver.frames)


def expected(world: World, subscriber: Subscriber) -> list[int]:
    """The seqs that a subscriber that stayed has to have in the end."""
    ends = [
        seq
        for seq in world.removals.get((subscriber.topic, subscriber.user_id), [])
        if seq > subscriber.admitted
    ]
    return list(range(subscriber.first, min(ends, default=world.head(subscriber.topic)) + 1))


@settings(max_examples=150, deadline=None)
@given(steps)
def test_every_subscriber_sees_a_gapless_ordered_stream(story: list[tuple[str, int]]) -> None:
    async def run() -> None:
        log = MoodyLog()
        world = World(Hub(log, sweep_seconds=3600, patience_seconds=0), log)
        await world.hub.start()
        try:
            for what, number in story:
                await play(world, what, number)
            world.hub.gap()  # what was lost at the end has to be found, too
            stayed = [s for s in world.subscribers if s.given_up_at is None]
            await eventually(
                lambda: all(len(s.receiver.seqs(s.topic)) >= len(expected(world, s)) for s in stayed)
            )
            await eventually(lambda: world.hub.health() is None)
            for subscriber in world.subscribers:
                seqs, whole = subscriber.receiver.seqs(subscriber.topic), expected(world, subscriber)
                assert subscriber.receiver.closed_with is None
                assert subscriber.receiver.received[0] == {}
                if subscriber.given_up_at is None:
                    assert seqs == whole
                else:
                    assert len(subscriber.receiver.frames) == subscriber.given_up_at
                    assert seqs == whole[: len(seqs)]
        finally:
            await world.hub.stop()

    asyncio.run(run())


@given(st.text())
def test_a_frame_is_its_bytes_and_its_text(text: str) -> None:
    data = msgspec.json.encode(text)
    frame = Frame(data)
    assert len(frame) == len(data)
    assert frame.text.encode() == data
    assert frame.text is frame.text
