import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence

import pytest

from app.realtime.close_codes import CloseCode
from app.realtime.events import Envelope, Frame, Head, Run
from app.realtime.hub import Hub
from app.realtime.testing import MemoryEventLog, RecordingReceiver
from tests.support.eventually import eventually

ADA, BOB, EVE = 1, 2, 3
GREETING = b'{"type":"subscribed"}'
RESET = b'{"type":"reset"}'


def joined(hub: Hub, user_id: int = ADA, *topics: str, seq: int = 0) -> RecordingReceiver:
    """A connection of the user, subscribed to these topics from `seq` on; the greetings are forgotten."""
    receiver = RecordingReceiver()
    hub.connect(receiver, user_id)
    for topic in topics:
        hub.subscribe(receiver, topic, seq=seq, greeting=GREETING)
    receiver.frames.clear()
    return receiver


# -- the live stream


async def test_an_event_reaches_every_subscriber_of_its_topic_and_nobody_else(
    hub: Hub, log: MemoryEventLog
) -> None:
    first, second = joined(hub, ADA, "chat:5"), joined(hub, BOB, "chat:5", "chat:6")
    stranger = joined(hub, EVE, "chat:6")
    event = log.append("chat:5")
    hub.receive(event)
    await eventually(lambda: first.frames and second.frames)
    assert first.frames == second.frames == [event.frame]
    assert stranger.frames == []


async def test_all_receivers_get_the_very_same_frame(hub: Hub, log: MemoryEventLog) -> None:
    class Keeper(RecordingReceiver):
        got: Frame | None = None

        def send_nowait(self, frame: Frame) -> None:
            self.got = frame

    keepers = [Keeper() for _ in range(3)]
    for keeper in keepers:
        hub.connect(keeper, ADA)
        hub.subscribe(keeper, "chat:5", seq=0, greeting=GREETING)
    hub.receive(log.append("chat:5"))
    await eventually(lambda: keepers[0].got is not None and len(keepers[0].got) > len(GREETING))
    assert keepers[0].got is keepers[1].got is keepers[2].got


async def test_a_double_is_told_once(hub: Hub, log: MemoryEventLog) -> None:
    receiver = joined(hub, ADA, "chat:5")
    first, second = log.append("chat:5"), log.append("chat:5")
    for event in (first, first, second, first, second):
        hub.receive(event)
    await eventually(lambda: len(receiver.frames) == 2)
    assert receiver.seqs("chat:5") == [1, 2]


async def test_neighbours_that_were_swapped_are_told_in_order_without_asking_the_log(
    hub: Hub, log: MemoryEventLog
) -> None:
    receiver = joined(hub, ADA, "chat:5")
    first, second = log.append("chat:5"), log.append("chat:5")
    hub.receive(second)
    hub.receive(first)
    await eventually(lambda: len(receiver.frames) == 2)
    assert receiver.seqs("chat:5") == [1, 2]
    assert log.reads == []


async def test_what_is_missing_is_read_in_the_log_once(hub: Hub, log: MemoryEventLog) -> None:
    receivers = [joined(hub, ADA, "chat:5") for _ in range(3)]
    events = [log.append("chat:5") for _ in range(5)]
    hub.receive(events[3])
    hub.receive(events[4])
    await eventually(lambda: all(len(receiver.frames) == 5 for receiver in receivers))
    assert receivers[0].seqs("chat:5") == [1, 2, 3, 4, 5]
    assert log.reads == [("chat:5", 0)]


async def test_a_head_is_read_in_the_log(hub: Hub, log: MemoryEventLog) -> None:
    receiver = joined(hub, ADA, "chat:5")
    for _ in range(250):  # several reads
        log.append("chat:5")
    hub.receive(Head("chat:5", 250))
    await eventually(lambda: len(receiver.frames) == 250)
    assert receiver.seqs("chat:5") == list(range(1, 251))


async def test_a_topic_that_reads_the_log_does_not_hold_up_another(hub: Hub, log: MemoryEventLog) -> None:
    stuck = asyncio.Event()
    read = log.read

    async def stuck_read(topic: str, after_seq: int, limit: int) -> Sequence[Envelope]:
        if topic == "chat:5":
            await stuck.wait()
        return await read(topic, after_seq, limit)

    log.read = stuck_read  # type: ignore[method-assign]
    receiver = joined(hub, ADA, "chat:5", "chat:6")
    log.append("chat:5")
    hub.receive(log.append("chat:5"))
    hub.receive(log.append("chat:6"))
    await eventually(lambda: receiver.seqs("chat:6") == [1])
    assert receiver.seqs("chat:5") == []
    hub.receive(log.append("chat:5"))
    stuck.set()
    await eventually(lambda: receiver.seqs("chat:5") == [1, 2, 3])


async def test_a_log_that_fails_is_asked_again(
    hub: Hub, log: MemoryEventLog, caplog: pytest.LogCaptureFixture
) -> None:
    read, failures = log.read, iter([ConnectionError("away")])

    async def failing_read(topic: str, after_seq: int, limit: int) -> Sequence[Envelope]:
        for failure in failures:
            raise failure
        return await read(topic, after_seq, limit)

    log.read = failing_read  # type: ignore[method-assign]
    receiver = joined(hub, ADA, "chat:5")
    log.append("chat:5")
    hub.receive(log.append("chat:5"))
    await eventually(lambda: receiver.seqs("chat:5") == [1, 2])
    assert "cannot read the log of chat:5" in caplog.text


async def test_an_ephemeral_event_is_told_at_once_to_those_who_listen(hub: Hub, log: MemoryEventLog) -> None:
    receiver, stranger = joined(hub, ADA, "chat:5"), joined(hub, BOB)
    hub.receive(Envelope("chat:5", None, b'{"type":"typing"}'))
    await eventually(lambda: receiver.frames)
    assert receiver.frames == [b'{"type":"typing"}']
    assert stranger.frames == []


async def test_an_event_to_users_reaches_every_socket_of_theirs(hub: Hub) -> None:
    first, second, other = joined(hub, ADA), joined(hub, ADA, "chat:5"), joined(hub, BOB)
    hub.receive(Envelope("", None, b'{"type":"hello"}', to_users=(ADA, ADA, 99)))
    await eventually(lambda: first.frames)
    assert first.frames == second.frames == [b'{"type":"hello"}']
    assert other.frames == []


async def test_a_burst_is_told_in_parts_so_that_others_get_their_turn(hub: Hub, log: MemoryEventLog) -> None:
    receiver = joined(hub, ADA, "chat:5")
    for _ in range(1_000):
        hub.receive(log.append("chat:5"))
    seen = []
    while len(receiver.frames) < 1_000:
        await asyncio.sleep(0)
        seen.append(len(receiver.frames))
    assert max(after - before for before, after in zip([0, *seen], seen, strict=False)) <= 64


async def test_what_arrived_together_is_written_together(hub: Hub, log: MemoryEventLog) -> None:
    class Writer(RecordingReceiver):
        runs: tuple[int, ...] = ()

        def send_run(self, run: Run) -> None:
            self.runs += (len(run.frames),)
            super().send_run(run)

    writer = Writer()
    hub.connect(writer, ADA)
    hub.subscribe(writer, "chat:5", seq=0, greeting=GREETING)
    first, *others = [log.append("chat:5") for _ in range(5)]
    for event in (*others, first):
        hub.receive(event)
    hub.receive(Envelope("chat:5", None, b'{"typing":true}'))
    hub.receive(log.append("chat:5"))
    await eventually(lambda: len(writer.frames) == 8)
    assert writer.runs == (5,)
    assert writer.seqs("chat:5") == [1, 2, 3, 4, 5, 6]
    assert writer.received[6] == {"typing": True}


async def test_a_right_ends_in_the_midst_of_what_arrived_together(hub: Hub, log: MemoryEventLog) -> None:
    removed, other = joined(hub, ADA, "chat:5"), joined(hub, BOB, "chat:5")
    for ends in ((), (ADA,), (), ()):
        hub.receive(log.append("chat:5", ends=ends))
    await eventually(lambda: len(other.frames) == 4)
    assert removed.seqs("chat:5") == [1, 2]
    assert other.seqs("chat:5") == [1, 2, 3, 4]


async def test_one_who_joins_in_the_midst_of_what_arrived_together_gets_what_follows(
    hub: Hub, log: MemoryEventLog
) -> None:
    newcomer = joined(hub, ADA)
    hub.follow(newcomer)
    for joins in ((), (ADA,), (), ()):
        hub.receive(log.append("chat:5", joins=joins))
    await eventually(lambda: len(newcomer.frames) == 3)
    assert newcomer.seqs("chat:5") == [2, 3, 4]


async def test_one_who_is_ahead_takes_up_the_stream_in_the_midst_of_what_arrived_together(
    hub: Hub, log: MemoryEventLog
) -> None:
    first = joined(hub, ADA, "chat:5")
    events = [log.append("chat:5") for _ in range(4)]
    ahead = joined(hub, BOB, "chat:5", seq=2)
    for event in events:
        hub.receive(event)
    await eventually(lambda: len(first.frames) == 4)
    assert first.seqs("chat:5") == [1, 2, 3, 4]
    assert ahead.seqs("chat:5") == [3, 4]


async def test_more_than_may_wait_is_dropped_and_read_in_the_log(log: MemoryEventLog) -> None:
    hub = Hub(log, sweep_seconds=3600, patience_seconds=0.001, max_waiting=10)
    await hub.start()
    receiver = joined(hub, ADA, "chat:5")
    for _ in range(500):
        hub.receive(log.append("chat:5"))
    await eventually(lambda: len(receiver.frames) == 500)
    assert receiver.seqs("chat:5") == list(range(1, 501))
    await hub.stop()


async def test_a_message_that_cannot_be_told_harms_no_other(
    hub: Hub, log: MemoryEventLog, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(RecordingReceiver):
        def send_nowait(self, frame: Frame) -> None:
            raise ZeroDivisionError

    broken = Broken()
    hub.connect(broken, ADA)
    receiver = joined(hub, BOB, "chat:5")
    hub.receive(Envelope("", None, b"{}", to_users=(ADA,)))
    hub.receive(log.append("chat:5"))
    await eventually(lambda: receiver.frames)
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


# -- subscribing


async def test_a_subscription_begins_with_its_greeting_and_what_follows_its_seq(
    hub: Hub, log: MemoryEventLog
) -> None:
    log.append("chat:5")
    receiver = RecordingReceiver()
    hub.connect(receiver, ADA)
    hub.subscribe(receiver, "chat:5", seq=1, greeting=GREETING)
    hub.receive(log.append("chat:5"))
    await eventually(lambda: len(receiver.frames) == 2)
    assert receiver.frames[0] == GREETING
    assert receiver.seqs("chat:5") == [2]


async def test_an_event_between_the_look_and_the_subscription_is_not_missed(
    hub: Hub, log: MemoryEventLog
) -> None:
    log.append("chat:5")
    hub.receive(log.append("chat:5"))  # nobody listens yet
    await asyncio.sleep(0)
    receiver = joined(hub, ADA, "chat:5", seq=1)
    await eventually(lambda: receiver.seqs("chat:5") == [2])


async def test_since_replays_what_was_missed_then_goes_on_live(hub: Hub, log: MemoryEventLog) -> None:
    other = joined(hub, BOB, "chat:5")
    for _ in range(250):
        hub.receive(log.append("chat:5"))
    await eventually(lambda: len(other.frames) == 250)
    receiver = RecordingReceiver()
    hub.connect(receiver, ADA)
    hub.subscribe(receiver, "chat:5", seq=250, since=3, greeting=GREETING, reset=RESET)
    hub.receive(log.append("chat:5"))
    await eventually(lambda: len(receiver.frames) == 249)
    assert receiver.frames[0] == GREETING
    assert receiver.seqs("chat:5") == list(range(4, 252))


async def test_a_replay_races_the_live_stream_without_gap_or_double(hub: Hub, log: MemoryEventLog) -> None:
    other = joined(hub, BOB, "chat:5")
    read = log.read

    async def racing_read(topic: str, after_seq: int, limit: int) -> Sequence[Envelope]:
        # Some events are told while the log is being read, and some are in the log before they are told.
        for _ in range(3):
            hub.receive(log.append("chat:5"))
        await asyncio.sleep(0.002)
        late = [log.append("chat:5") for _ in range(2)]
        answer = await read(topic, after_seq, limit)
        for event in late:
            hub.receive(event)
        return answer

    for _ in range(150):
        hub.receive(log.append("chat:5"))
    await eventually(lambda: len(other.frames) == 150)
    log.read = racing_read  # type: ignore[method-assign]
    receiver = RecordingReceiver()
    hub.connect(receiver, ADA)
    hub.subscribe(receiver, "chat:5", seq=150, since=0, greeting=GREETING, reset=RESET)
    await eventually(lambda: receiver in hub.topics["chat:5"].live)
    hub.receive(log.append("chat:5"))
    await eventually(lambda: len(other.frames) == len(receiver.frames) - 1)
    assert receiver.seqs("chat:5") == other.seqs("chat:5")


async def test_a_replay_waits_for_its_slow_receiver_and_for_nobody_else(
    hub: Hub, log: MemoryEventLog
) -> None:
    class Slow(RecordingReceiver):
        def __init__(self) -> None:
            super().__init__()
            self.may_go = asyncio.Event()

        async def drained(self) -> bool:
            await self.may_go.wait()
            return True

    other = joined(hub, BOB, "chat:5")
    for _ in range(5):
        hub.receive(log.append("chat:5"))
    await eventually(lambda: len(other.frames) == 5)
    slow = Slow()
    hub.connect(slow, ADA)
    hub.subscribe(slow, "chat:5", seq=5, since=0, greeting=GREETING, reset=RESET)
    hub.receive(log.append("chat:5"))
    await eventually(lambda: len(other.frames) == 6)
    assert slow.frames == [GREETING]
    slow.may_go.set()
    await eventually(lambda: slow.seqs("chat:5") == [1, 2, 3, 4, 5, 6])


async def test_a_replay_that_waits_ends_with_its_subscription(hub: Hub, log: MemoryEventLog) -> None:
    class Slow(RecordingReceiver):
        def __init__(self) -> None:
            super().__init__()
            self.is_waiting, self.may_go = asyncio.Event(), asyncio.Event()

        async def drained(self) -> bool:
            self.is_waiting.set()
            await self.may_go.wait()
            return True

    other = joined(hub, BOB, "chat:5")
    hub.receive(log.append("chat:5"))
    await eventually(lambda: other.frames)
    slow = Slow()
    hub.connect(slow, ADA)
    hub.subscribe(slow, "chat:5", seq=1, since=0, greeting=GREETING, reset=RESET)
    await slow.is_waiting.wait()
    hub.unsubscribe(slow, "chat:5")
    slow.may_go.set()
    hub.receive(log.append("chat:5"))
    await eventually(lambda: len(other.frames) == 2)
    assert slow.frames == [GREETING]


async def test_a_replay_that_read_further_than_was_told_gets_no_doubles(
    hub: Hub, log: MemoryEventLog
) -> None:
    other = joined(hub, BOB, "chat:5")
    hub.receive(log.append("chat:5"))
    await eventually(lambda: other.frames)
    untold = [log.append("chat:5") for _ in range(3)]
    receiver = RecordingReceiver()
    hub.connect(receiver, ADA)
    hub.subscribe(receiver, "chat:5", seq=1, since=0, greeting=GREETING, reset=RESET)
    await eventually(lambda: receiver.seqs("chat:5") == [1, 2, 3, 4])
    assert len(other.frames) == 1
    for event in (*untold, log.append("chat:5")):
        hub.receive(event)
    await eventually(lambda: len(other.frames) == 5)
    assert receiver.seqs("chat:5") == [1, 2, 3, 4, 5]


async def test_since_older_than_what_is_kept_is_answered_with_reset_and_what_follows(
    hub: Hub, log: MemoryEventLog
) -> None:
    other = joined(hub, BOB, "chat:5")
    for _ in range(10):
        hub.receive(log.append("chat:5"))
    await eventually(lambda: len(other.frames) == 10)
    log.trim("chat:5", through=6)
    receiver = RecordingReceiver()
    hub.connect(receiver, ADA)
    hub.subscribe(receiver, "chat:5", seq=10, since=2, greeting=GREETING, reset=RESET)
    await eventually(lambda: receiver in hub.topics["chat:5"].live)
    hub.receive(log.append("chat:5"))
    await eventually(lambda: len(receiver.frames) == 3)
    assert receiver.frames[:2] == [GREETING, RESET]
    assert receiver.seqs("chat:5") == [11]


async def test_since_beyond_the_head_is_answered_with_reset(hub: Hub, log: MemoryEventLog) -> None:
    log.append("chat:5")
    receiver = RecordingReceiver()
    hub.connect(receiver, ADA)
    hub.subscribe(receiver, "chat:5", seq=1, since=99, greeting=GREETING, reset=RESET)
    hub.receive(log.append("chat:5"))
    await eventually(lambda: len(receiver.frames) == 3)
    assert receiver.frames[:2] == [GREETING, RESET]
    assert receiver.seqs("chat:5") == [2]


async def test_a_subscriber_that_knows_more_than_was_told_here_gets_no_doubles(
    hub: Hub, log: MemoryEventLog
) -> None:
    other = joined(hub, BOB, "chat:5")
    events = [log.append("chat:5") for _ in range(3)]
    receiver = joined(hub, ADA, "chat:5", seq=2)  # it was looked up before the notifications came
    for event in events:
        hub.receive(event)
    await eventually(lambda: len(other.frames) == 3)
    assert receiver.seqs("chat:5") == [3]


async def test_a_subscriber_that_knows_more_shows_that_events_are_missing(
    hub: Hub, log: MemoryEventLog
) -> None:
    other = joined(hub, BOB, "chat:5")
    await eventually(lambda: log.compared)
    for _ in range(3):
        log.append("chat:5")  # of which no word came
    receiver = joined(hub, ADA, "chat:5", seq=3)
    await eventually(lambda: other.seqs("chat:5") == [1, 2, 3])
    assert receiver.frames == []


async def test_subscribing_again_starts_anew_from_since(hub: Hub, log: MemoryEventLog) -> None:
    receiver = joined(hub, ADA, "chat:5")
    for _ in range(3):
        hub.receive(log.append("chat:5"))
    await eventually(lambda: len(receiver.frames) == 3)
    receiver.frames.clear()
    hub.subscribe(receiver, "chat:5", seq=3, since=1, greeting=GREETING, reset=RESET)
    hub.receive(log.append("chat:5"))
    await eventually(lambda: receiver.seqs("chat:5") == [2, 3, 4])
    assert receiver.frames[0] == GREETING


async def test_after_unsubscribe_nothing_comes_though_others_get_it(hub: Hub, log: MemoryEventLog) -> None:
    receiver, other = joined(hub, ADA, "chat:5"), joined(hub, BOB, "chat:5")
    hub.unsubscribe(receiver, "chat:5")
    hub.unsubscribe(receiver, "chat:99")
    hub.receive(log.append("chat:5"))
    await eventually(lambda: other.frames)
    assert receiver.frames == []


async def test_unsubscribe_stops_a_replay(hub: Hub, log: MemoryEventLog) -> None:
    other = joined(hub, BOB, "chat:5")
    for _ in range(5):
        hub.receive(log.append("chat:5"))
    await eventually(lambda: len(other.frames) == 5)
    receiver = RecordingReceiver()
    hub.connect(receiver, ADA)
    hub.subscribe(receiver, "chat:5", seq=5, since=0, greeting=GREETING, reset=RESET)
    hub.unsubscribe(receiver, "chat:5")
    hub.receive(log.append("chat:5"))
    await eventually(lambda: len(other.frames) == 6)
    assert receiver.frames == [GREETING]


async def test_a_topic_that_was_silent_for_a_while_starts_where_the_next_subscriber_is(
    hub: Hub, log: MemoryEventLog
) -> None:
    hub.disconnect(joined(hub, ADA, "chat:5"))
    for _ in range(4):
        hub.receive(log.append("chat:5"))
    await asyncio.sleep(0)
    receiver = joined(hub, BOB, "chat:5", seq=4)
    hub.receive(log.append("chat:5"))
    await eventually(lambda: receiver.frames)
    assert receiver.seqs("chat:5") == [5]
    assert log.reads == []


def test_since_without_a_reset_frame_is_refused(log: MemoryEventLog) -> None:
    hub, receiver = Hub(log), RecordingReceiver()
    hub.connect(receiver, ADA)
    with pytest.raises(ValueError, match="cannot be honoured"):
        hub.subscribe(receiver, "chat:5", seq=1, since=0, greeting=GREETING)


def test_only_a_connected_one_can_subscribe(log: MemoryEventLog) -> None:
    with pytest.raises(KeyError):
        Hub(log).subscribe(RecordingReceiver(), "chat:5", seq=1, greeting=GREETING)


# -- rights that end


async def test_the_event_that_ends_a_right_is_the_last_one(hub: Hub, log: MemoryEventLog) -> None:
    removed, again, other = joined(hub, ADA, "chat:5"), joined(hub, ADA, "chat:5"), joined(hub, BOB, "chat:5")
    hub.receive(log.append("chat:5"))
    hub.receive(log.append("chat:5", ends=(ADA,)))
    hub.receive(log.append("chat:5"))
    hub.receive(Envelope("chat:5", None, b'{"type":"typing"}'))
    await eventually(lambda: len(other.frames) == 4)
    assert removed.seqs("chat:5") == again.seqs("chat:5") == [1, 2]
    assert len(removed.frames) == 2


async def test_a_right_ends_in_order_when_its_event_is_read_in_the_log(hub: Hub, log: MemoryEventLog) -> None:
    removed, other = joined(hub, ADA, "chat:5"), joined(hub, BOB, "chat:5")
    log.append("chat:5", ends=(ADA,))
    hub.receive(log.append("chat:5"))
    await eventually(lambda: len(other.frames) == 2)
    assert removed.seqs("chat:5") == [1]


async def test_a_replay_stops_at_the_event_that_ends_the_right(hub: Hub, log: MemoryEventLog) -> None:
    other = joined(hub, BOB, "chat:5")
    for ends in ((), (), (ADA,), ()):
        hub.receive(log.append("chat:5", ends=ends))
    await eventually(lambda: len(other.frames) == 4)
    receiver = RecordingReceiver()
    hub.connect(receiver, ADA)
    # The right was looked up at 2, before the removal, and the subscription comes after it.
    hub.subscribe(receiver, "chat:5", seq=2, since=0, greeting=GREETING, reset=RESET)
    await eventually(lambda: receiver not in hub.topics["chat:5"])
    hub.receive(log.append("chat:5"))
    await eventually(lambda: len(other.frames) == 5)
    assert receiver.seqs("chat:5") == [1, 2, 3]


async def test_a_right_that_was_checked_after_a_removal_is_not_ended_by_it(
    hub: Hub, log: MemoryEventLog
) -> None:
    events = [
        log.append("chat:5", ends=ends, joins=joins) for ends, joins in (((), ()), ((ADA,), ()), ((), (ADA,)))
    ]
    live = RecordingReceiver()
    hub.connect(live, ADA)
    hub.subscribe(live, "chat:5", seq=3, since=0, greeting=GREETING, reset=RESET)
    for event in events:
        hub.receive(event)
    hub.receive(log.append("chat:5"))
    await eventually(lambda: live.seqs("chat:5") == [1, 2, 3, 4])


async def test_that_holds_for_one_who_is_live_before_the_removal_is_told(
    hub: Hub, log: MemoryEventLog
) -> None:
    joined(hub, BOB, "chat:5")
    removal, again = log.append("chat:5", ends=(ADA,)), log.append("chat:5", joins=(ADA,))
    live = RecordingReceiver()
    hub.connect(live, ADA)
    hub.subscribe(live, "chat:5", seq=2, since=0, greeting=GREETING, reset=RESET)
    for event in (removal, again, log.append("chat:5")):
        hub.receive(event)
    await eventually(lambda: live.seqs("chat:5") == [1, 2, 3])


async def test_reset_does_not_jump_over_a_removal(hub: Hub, log: MemoryEventLog) -> None:
    other = joined(hub, BOB, "chat:5")
    for ends in ((), (), (), (ADA,), ()):
        hub.receive(log.append("chat:5", ends=ends))
    await eventually(lambda: len(other.frames) == 5)
    log.trim("chat:5", through=2)
    receiver = RecordingReceiver()
    hub.connect(receiver, ADA)
    hub.subscribe(receiver, "chat:5", seq=3, since=0, greeting=GREETING, reset=RESET)
    await eventually(lambda: receiver not in hub.topics["chat:5"])
    assert receiver.frames[:2] == [GREETING, RESET]
    assert receiver.seqs("chat:5") == [4]


async def test_one_whose_right_cannot_be_followed_any_longer_has_to_come_back(
    hub: Hub, log: MemoryEventLog
) -> None:
    other = joined(hub, BOB, "chat:5")
    for _ in range(6):
        hub.receive(log.append("chat:5"))
    await eventually(lambda: len(other.frames) == 6)
    log.trim("chat:5", through=5)
    receiver = RecordingReceiver()
    hub.connect(receiver, ADA)
    hub.subscribe(receiver, "chat:5", seq=3, since=0, greeting=GREETING, reset=RESET)
    await eventually(lambda: receiver.closed_with is CloseCode.RESTART)
    assert receiver.frames == [GREETING, RESET]
    assert receiver not in hub.topics["chat:5"]
    assert other.closed_with is None


async def test_a_subscription_given_up_during_a_read_hears_nothing_of_its_outcome(
    hub: Hub, log: MemoryEventLog
) -> None:
    other = joined(hub, BOB, "chat:5")
    for _ in range(6):
        hub.receive(log.append("chat:5"))
    await eventually(lambda: len(other.frames) == 6)
    log.trim("chat:5", through=5)
    may_read, read = asyncio.Event(), log.read

    async def held_read(topic: str, after_seq: int, limit: int) -> Sequence[Envelope]:
        answer = await read(topic, after_seq, limit)
        await may_read.wait()
        return answer

    log.read = held_read  # type: ignore[method-assign]
    receiver = RecordingReceiver()
    hub.connect(receiver, ADA)
    hub.subscribe(receiver, "chat:5", seq=6, since=0, greeting=GREETING, reset=RESET)
    await eventually(lambda: log.reads)
    hub.unsubscribe(receiver, "chat:5")
    may_read.set()
    hub.receive(log.append("chat:5"))
    await eventually(lambda: len(other.frames) == 7)
    assert receiver.frames == [GREETING]
    assert receiver.closed_with is None


# -- joining


async def test_a_join_reaches_every_socket_of_the_user_and_subscribes_those_that_follow(
    hub: Hub, log: MemoryEventLog
) -> None:
    follower, plain, other = joined(hub, ADA), joined(hub, ADA), joined(hub, BOB)
    hub.follow(follower)
    hub.receive(log.append("chat:5", joins=(ADA,)))
    hub.receive(log.append("chat:5"))
    await eventually(lambda: len(follower.frames) == 2)
    assert follower.seqs("chat:5") == [1, 2]
    assert plain.seqs("chat:5") == [1]
    assert other.frames == []


async def test_a_join_is_told_once_to_one_who_is_subscribed_already(hub: Hub, log: MemoryEventLog) -> None:
    receiver = joined(hub, ADA, "chat:5")
    hub.follow(receiver)
    hub.receive(log.append("chat:5", joins=(ADA, BOB)))
    hub.receive(log.append("chat:5"))
    await eventually(lambda: len(receiver.frames) == 2)
    assert receiver.seqs("chat:5") == [1, 2]


async def test_a_join_into_a_topic_with_listeners_comes_in_its_turn(hub: Hub, log: MemoryEventLog) -> None:
    member, newcomer = joined(hub, BOB, "chat:5"), joined(hub, ADA)
    hub.follow(newcomer)
    first, join, third = log.append("chat:5"), log.append("chat:5", joins=(ADA,)), log.append("chat:5")
    for event in (third, join, first):
        hub.receive(event)
    await eventually(lambda: len(newcomer.frames) == 2)
    assert member.seqs("chat:5") == [1, 2, 3]
    assert newcomer.seqs("chat:5") == [2, 3]


async def test_a_join_that_travels_as_a_head_is_read_in_the_log(hub: Hub, log: MemoryEventLog) -> None:
    newcomer = joined(hub, ADA)
    hub.follow(newcomer)
    log.append("chat:5")
    join = log.append("chat:5", joins=(ADA,))
    hub.receive(Head("chat:5", join.durable_seq, (ADA,)))
    hub.receive(Head("chat:6", 1, (EVE,)))  # nobody of hers is here: not read
    hub.receive(log.append("chat:5"))
    await eventually(lambda: newcomer.seqs("chat:5") == [2, 3])
    assert "chat:6" not in [topic for topic, _ in log.reads]


async def test_a_join_is_told_once_however_often_it_arrives(hub: Hub, log: MemoryEventLog) -> None:
    plain = joined(hub, ADA)
    join = log.append("chat:5", joins=(ADA,))
    for _ in range(3):
        hub.receive(join)
    hub.receive(Envelope("", None, b'{"type":"end"}', to_users=(ADA,)))
    await eventually(lambda: len(plain.frames) >= 2)
    assert plain.frames == [join.frame, b'{"type":"end"}']


async def test_one_that_leaves_and_joins_again_goes_on(hub: Hub, log: MemoryEventLog) -> None:
    follower = joined(hub, ADA, "chat:5")
    hub.follow(follower)
    for ends, joins in (((), ()), ((ADA,), ()), ((), ()), ((), (ADA,)), ((), ())):
        hub.receive(log.append("chat:5", ends=ends, joins=joins))
    await eventually(lambda: len(follower.frames) == 4)
    assert follower.seqs("chat:5") == [1, 2, 4, 5]


async def test_a_join_whose_notification_was_lost_is_found_by_the_sweep(
    sweeping_hub: Hub, log: MemoryEventLog
) -> None:
    follower, plain = joined(sweeping_hub, ADA), joined(sweeping_hub, ADA)
    sweeping_hub.follow(follower)
    await asyncio.sleep(0)
    log.append("chat:5", joins=(ADA,))
    log.append("chat:5")
    await eventually(lambda: follower.seqs("chat:5") == [1, 2])
    assert plain.seqs("chat:5") == [1]


# -- gaps and sweeps


async def test_the_sweep_finds_what_was_never_sent(sweeping_hub: Hub, log: MemoryEventLog) -> None:
    receiver = joined(sweeping_hub, ADA, "chat:5")
    for _ in range(3):
        log.append("chat:5")
    await eventually(lambda: receiver.seqs("chat:5") == [1, 2, 3])


async def test_a_gap_is_not_healthy_until_all_is_told(hub: Hub, log: MemoryEventLog) -> None:
    may_read = asyncio.Event()
    read = log.read

    async def held_read(topic: str, after_seq: int, limit: int) -> Sequence[Envelope]:
        await may_read.wait()
        return await read(topic, after_seq, limit)

    log.read = held_read  # type: ignore[method-assign]
    receiver = joined(hub, ADA, "chat:5", "chat:6")
    assert hub.health() is None
    for _ in range(3):
        log.append("chat:5")
    hub.gap()
    assert hub.health() == "events that were missed are being caught up"
    await eventually(lambda: hub.topics["chat:5"].is_chased)
    assert hub.health() == "events that were missed are being caught up"
    may_read.set()
    await eventually(lambda: hub.health() is None)
    assert receiver.seqs("chat:5") == [1, 2, 3]


async def test_a_sweep_that_fails_is_reported_and_repeated(
    sweeping_hub: Hub, log: MemoryEventLog, caplog: pytest.LogCaptureFixture
) -> None:
    heads, is_away = log.heads, True

    async def failing_heads(topics: Collection[str]) -> Mapping[str, int]:
        if is_away:
            raise ConnectionError("away")
        return await heads(topics)

    log.heads = failing_heads  # type: ignore[method-assign]
    receiver = joined(sweeping_hub, ADA, "chat:5")
    log.append("chat:5")
    await eventually(lambda: sweeping_hub.health() == "the event log cannot be read")
    is_away = False
    await eventually(lambda: receiver.frames)
    await eventually(lambda: sweeping_hub.health() is None)
    assert "cannot compare with the event log" in caplog.text


@pytest.mark.parametrize("kept_after", [3, 5])
async def test_listeners_of_a_topic_of_which_events_are_gone_are_sent_away_to_be_checked_again(
    hub: Hub, log: MemoryEventLog, kept_after: int
) -> None:
    listener, other = joined(hub, ADA, "chat:5"), joined(hub, BOB, "chat:6")
    for _ in range(5):
        log.append("chat:5")
    log.trim("chat:5", through=kept_after)
    hub.receive(Head("chat:5", 5))
    await eventually(lambda: listener.closed_with is CloseCode.RESTART)
    assert listener.frames == []
    assert other.closed_with is None
    assert "chat:5" not in hub.topics


async def test_a_log_that_went_back_sends_its_listeners_away(
    sweeping_hub: Hub, log: MemoryEventLog, caplog: pytest.LogCaptureFixture
) -> None:
    listener = joined(sweeping_hub, ADA, "chat:5")
    for _ in range(5):
        sweeping_hub.receive(log.append("chat:5"))
    await eventually(lambda: len(listener.frames) == 5)
    log.lose_tail("chat:5", after=3)
    await eventually(lambda: listener.closed_with is CloseCode.RESTART)
    assert "went back from 5 to 3" in caplog.text


async def test_word_of_an_event_that_does_not_exist_is_forgotten(hub: Hub, log: MemoryEventLog) -> None:
    receiver = joined(hub, ADA, "chat:5")
    hub.receive(Head("chat:5", 7))
    await eventually(lambda: log.reads and not hub.topics["chat:5"].is_chased)
    assert receiver.closed_with is None
    hub.receive(log.append("chat:5"))
    await eventually(lambda: receiver.seqs("chat:5") == [1])


# -- connections


def test_connections_are_found_by_user_until_they_leave(log: MemoryEventLog) -> None:
    hub = Hub(log)
    first, second, other = (RecordingReceiver() for _ in range(3))
    for receiver, user_id in ((first, ADA), (second, ADA), (other, BOB)):
        hub.connect(receiver, user_id)
    assert hub.receivers(ADA) == (first, second)
    assert hub.receivers() == (first, second, other)
    hub.disconnect(first)
    hub.disconnect(first)
    assert hub.receivers(ADA) == (second,)
    assert hub.receivers(99) == ()


def test_a_connection_does_not_change_hands(log: MemoryEventLog) -> None:
    hub, receiver = Hub(log), RecordingReceiver()
    hub.connect(receiver, ADA)
    hub.connect(receiver, ADA)
    with pytest.raises(ValueError, match="user 1's"):
        hub.connect(receiver, BOB)


async def test_a_connection_that_left_gets_nothing(hub: Hub, log: MemoryEventLog) -> None:
    gone, other = joined(hub, ADA, "chat:5", "chat:6"), joined(hub, BOB, "chat:5")
    hub.disconnect(gone)
    hub.receive(log.append("chat:5"))
    hub.receive(Envelope("", None, b"{}", to_users=(ADA,)))
    await eventually(lambda: other.frames)
    assert gone.frames == []


async def test_silent_topics_are_forgotten(sweeping_hub: Hub) -> None:
    hub = sweeping_hub
    hub.disconnect(joined(hub, ADA, "chat:5"))
    stays = joined(hub, BOB, "chat:6")
    await eventually(lambda: set(hub.topics) == {"chat:6"})
    assert stays in hub.topics["chat:6"]


def test_draining_closes_those_who_are_here_and_those_who_come(log: MemoryEventLog) -> None:
    hub = Hub(log)
    here, comes = RecordingReceiver(), RecordingReceiver()
    hub.connect(here, ADA)
    hub.drain()
    hub.connect(comes, ADA)
    assert here.closed_with is comes.closed_with is CloseCode.RESTART


async def test_stop_ends_all_work_and_may_come_twice_or_first(log: MemoryEventLog) -> None:
    hub = Hub(log)
    await hub.stop()
    hub = Hub(log, patience_seconds=3600)
    await hub.start()
    receiver = joined(hub, ADA, "chat:5")
    log.append("chat:5")
    hub.receive(log.append("chat:5"))
    await eventually(lambda: hub.topics["chat:5"].is_chased)
    hub.receive(log.append("chat:5"))
    await hub.stop()
    await hub.stop()
    hub.receive(log.append("chat:5"))
    assert {task.get_name() for task in asyncio.all_tasks()} == {asyncio.current_task().get_name()}  # type: ignore[union-attr]
    assert receiver.frames == []


# -- for the code of the process


async def test_the_users_who_listen_to_a_topic_are_known(hub: Hub, log: MemoryEventLog) -> None:
    joined(hub, ADA, "chat:5")
    joined(hub, ADA, "chat:5", "chat:6")
    gone = joined(hub, BOB, "chat:5")
    log.append("chat:6")
    behind = joined(hub, EVE)
    hub.subscribe(behind, "chat:6", seq=1, since=0, greeting=GREETING, reset=RESET)
    assert hub.subscribers("chat:5") == {ADA, BOB}
    assert hub.subscribers("chat:6") == {ADA, EVE}
    assert hub.subscribers("chat:7") == frozenset()
    hub.disconnect(gone)
    assert hub.subscribers("chat:5") == {ADA}


async def test_a_word_in_this_process_goes_to_all_but_one_user_and_to_none_that_is_behind(hub: Hub) -> None:
    first, second, other = joined(hub, ADA, "chat:5"), joined(hub, BOB, "chat:5"), joined(hub, EVE, "chat:6")
    slow = joined(hub, EVE, "chat:5")
    slow.is_congested = True
    assert hub.tell_here("chat:5", b"{}", besides=ADA) == 1
    assert (first.frames, second.frames, other.frames, slow.frames) == ([], [b"{}"], [], [])
    assert hub.tell_here("chat:7", b"{}", besides=ADA) == 0


async def test_a_watch_is_told_of_first_connections_and_last_ones(hub: Hub) -> None:
    told: list[tuple[int, bool]] = []
    hub.watch_users(lambda user_id, is_here: told.append((user_id, is_here)))
    first, second, other = joined(hub, ADA), joined(hub, ADA), joined(hub, BOB)
    hub.connect(first, ADA)
    for receiver in (first, second, second, other):
        hub.disconnect(receiver)
    assert told == [(ADA, True), (BOB, True), (ADA, False), (BOB, False)]
