import asyncio
from collections.abc import AsyncIterator, Collection
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.realtime import Presence, Realtime
from app.realtime.testing import Bus, BusBroker, RecordingReceiver
from tests.support.eventually import eventually

ADA, BOB, EVE = 1, 2, 3
HEARTBEAT = 0.02


class Process:
    """A process of a deployment."""

    def __init__(self, bus: Bus) -> None:
        self.broker: BusBroker = bus.broker()
        self.realtime = Realtime(self.broker)
        self.presence = Presence(self.realtime, heartbeat_seconds=HEARTBEAT, gather_seconds=0.002)
        self.told: list[tuple[list[int], list[int]]] = []
        self.presence.watch(self.note)
        self.sockets: dict[int, list[RecordingReceiver]] = {}

    def note(self, came: Collection[int], went: Collection[int]) -> None:
        self.told.append((sorted(came), sorted(went)))

    async def start(self) -> "Process":
        await self.realtime.start()
        await self.presence.start()
        return self

    async def stop(self) -> None:
        await self.presence.stop()
        await self.realtime.stop()

    def connect(self, user_id: int) -> None:
        receiver = RecordingReceiver()
        self.sockets.setdefault(user_id, []).append(receiver)
        self.realtime.hub.connect(receiver, user_id)

    def disconnect(self, user_id: int) -> None:
        self.realtime.hub.disconnect(self.sockets[user_id].pop())

    @property
    def online(self) -> list[int]:
        return sorted(self.presence.users)


@pytest.fixture
async def processes() -> AsyncIterator[tuple[Process, Process]]:
    bus = Bus()
    both = await Process(bus).start(), await Process(bus).start()
    yield both
    for process in both:
        await process.stop()


async def test_a_user_is_online_everywhere_from_his_first_connection_to_his_last(
    processes: tuple[Process, Process],
) -> None:
    here, there = processes
    here.connect(ADA)
    assert here.told == [([ADA], [])]
    await eventually(lambda: there.online == [ADA])
    here.connect(ADA)
    there.connect(ADA)
    await asyncio.sleep(HEARTBEAT)
    here.disconnect(ADA)
    here.disconnect(ADA)
    await asyncio.sleep(HEARTBEAT)
    assert here.online == there.online == [ADA]
    assert there.told == [([ADA], [])]
    there.disconnect(ADA)
    await eventually(lambda: here.online == [])
    assert here.told == there.told == [([ADA], []), ([], [ADA])]


async def test_who_comes_back_at_once_was_never_gone_for_the_others(
    processes: tuple[Process, Process],
) -> None:
    here, there = processes
    here.connect(ADA)
    await eventually(lambda: there.online == [ADA])
    here.disconnect(ADA)
    here.connect(ADA)
    await asyncio.sleep(HEARTBEAT)
    assert there.told == [([ADA], [])]


async def test_a_process_that_comes_later_learns_who_is_there(processes: tuple[Process, Process]) -> None:
    bus = Bus()
    first = await Process(bus).start()
    first.connect(ADA)
    second = await Process(bus).start()
    await eventually(lambda: second.online == [ADA])
    assert second.told == [([ADA], [])]
    await first.stop()
    await eventually(lambda: second.online == [])
    await second.stop()


async def test_a_process_that_was_killed_leaves_nobody_online(
    processes: tuple[Process, Process], caplog: pytest.LogCaptureFixture
) -> None:
    here, there = processes
    here.connect(BOB)
    there.connect(ADA)
    there.connect(BOB)
    await eventually(lambda: here.online == [ADA, BOB])
    there.broker.is_cut = True
    await eventually(lambda: here.online == [BOB])
    assert here.told[-1] == ([], [ADA])
    assert "not heard of any more" in caplog.text
    there.broker.is_cut = False  # it only hung
    await eventually(lambda: here.online == [ADA, BOB])


async def test_while_nothing_can_be_heard_nobody_is_dead(processes: tuple[Process, Process]) -> None:
    here, there = processes
    there.connect(ADA)
    await eventually(lambda: here.online == [ADA])
    here.broker.is_cut, here.broker.trouble = True, "lost"
    await asyncio.sleep(HEARTBEAT * 6)
    assert here.online == [ADA]
    there.disconnect(ADA)
    there.connect(EVE)
    await asyncio.sleep(HEARTBEAT)
    here.broker.is_cut, here.broker.trouble = False, None
    here.realtime.hub.gap()
    await eventually(lambda: here.online == [EVE])


async def test_a_change_that_was_lost_is_noticed_and_asked_for(processes: tuple[Process, Process]) -> None:
    here, there = processes
    await eventually(lambda: len(here.presence._others) == 1)
    here.broker.is_cut = True
    there.connect(ADA)
    await asyncio.sleep(HEARTBEAT / 2)
    here.broker.is_cut = False
    await eventually(lambda: here.online == [ADA])


async def test_a_word_that_cannot_be_read_harms_nobody(
    processes: tuple[Process, Process], caplog: pytest.LogCaptureFixture
) -> None:
    here, there = processes
    there.realtime.tell("presence", b'{"of": "another version"}')
    there.connect(ADA)
    await eventually(lambda: here.online == [ADA])
    assert "a listener of presence failed" in caplog.text


async def test_stopping_twice_or_without_a_start_is_nothing() -> None:
    process = Process(Bus())
    await process.stop()
    await process.stop()
    process.connect(ADA)
    assert process.online == [ADA]


def is_known(process: Process, expected: list[int]) -> bool:
    return process.online == expected


Steps = st.lists(
    st.tuples(
        st.sampled_from(["connect", "disconnect", "cut", "join"]), st.integers(0, 2), st.integers(1, 4)
    ),
    max_size=30,
)


@settings(max_examples=25, deadline=None)
@given(Steps)
def test_in_the_end_everybody_knows_who_is_online(steps: list[tuple[str, int, int]]) -> None:
    async def run() -> None:
        bus = Bus()
        processes = [await Process(bus).start() for _ in range(3)]
        for step, number, user_id in steps:
            process = processes[number]
            if step == "connect":
                process.connect(user_id)
            elif step == "disconnect" and process.sockets.get(user_id):
                process.disconnect(user_id)
            elif step == "cut":
                process.broker.is_cut = True
            else:
                await asyncio.sleep(0.001)
                process.broker.is_cut = False
        for process in processes:
            process.broker.is_cut = False
        expected = sorted(
            {user_id for process in processes for user_id, held in process.sockets.items() if held}
        )
        for process in processes:
            await eventually(partial(is_known, process, expected))
            net: dict[int, int] = {}
            for came, went in process.told:
                for user_id in came:
                    net[user_id] = net.get(user_id, 0) + 1
                for user_id in went:
                    net[user_id] -= 1
                assert set(net.values()) <= {0, 1}
        for process in processes:
            await process.stop()

    asyncio.run(run())
