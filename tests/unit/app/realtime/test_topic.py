from app.realtime.events import Envelope
from app.realtime.testing import RecordingReceiver
from app.realtime.topic import MAX_EARLY, MAX_RECENT, Entry, Topic


def event(seq: int) -> Envelope:
    return Envelope("chat:5", seq, b"{}")


def taken(topic: Topic, *seqs: int) -> list[int]:
    """The seqs that are to be told when these arrive, in order."""
    told = []
    for seq in seqs:
        ready = topic.accept(seq, event(seq))
        while ready is not None:
            topic.told([ready])
            told.append(ready.durable_seq)
            ready = topic.following()
    return told


def entry(position: int) -> Entry:
    return Entry(RecordingReceiver(), user_id=1, position=position, admitted=position)


def test_events_in_order_are_taken_as_they_come() -> None:
    assert taken(Topic("chat:5", at=3), 4, 5, 6) == [4, 5, 6]


def test_doubles_are_dropped() -> None:
    assert taken(Topic("chat:5", at=3), 2, 3, 4, 4, 5, 4) == [4, 5]


def test_an_early_event_waits_for_its_turn() -> None:
    topic = Topic("chat:5", at=3)
    assert taken(topic, 6, 5) == []
    assert topic.is_behind
    assert taken(topic, 4) == [4, 5, 6]
    assert not topic.is_behind


def test_early_events_are_kept_up_to_a_bound_and_the_rest_is_known_to_be_missing() -> None:
    topic = Topic("chat:5", at=0)
    far = 2 * MAX_EARLY
    assert taken(topic, *range(2, far + 1)) == []
    assert taken(topic, 1) == list(range(1, MAX_EARLY + 2))
    assert topic.is_behind
    assert topic.wanted == far


def test_early_events_that_the_log_has_told_meanwhile_are_forgotten() -> None:
    topic = Topic("chat:5", at=0)
    assert taken(topic, 3, 1, 2) == [1, 2, 3]
    assert taken(topic, 6, 4, 5, 6) == [4, 5, 6]
    assert topic._early == {}


def test_a_subscription_enters_where_its_position_belongs() -> None:
    topic = Topic("chat:5", at=10)
    live, ahead, behind = entry(10), entry(12), entry(7)
    assert [topic.enter(one) for one in (live, ahead, behind)] == [False, False, True]
    assert list(topic.live) == [live.receiver]
    assert list(topic.ahead) == [ahead.receiver]
    assert list(topic.replays) == [behind.receiver]
    assert all(one.receiver in topic for one in (live, ahead, behind))


def test_one_that_is_ahead_becomes_live_when_the_stream_has_reached_it() -> None:
    topic = Topic("chat:5", at=10)
    ahead = entry(12)
    topic.enter(ahead)
    taken(topic, 11)
    assert ahead.receiver not in topic.live
    taken(topic, 12)
    assert ahead.receiver in topic.live
    assert ahead.receiver not in topic.ahead


def test_events_told_during_a_replay_are_at_hand_for_it() -> None:
    topic = Topic("chat:5", at=10)
    behind = entry(7)
    topic.enter(behind)
    taken(topic, 11, 12, 13)
    assert topic.recent_after(9) == []
    assert [e.seq for e in topic.recent_after(10)] == [11, 12, 13]
    assert [e.seq for e in topic.recent_after(12)] == [13]
    assert topic.recent_after(13) == []
    topic.leave(behind.receiver)
    assert topic.recent_after(10) == []


def test_a_replay_that_lags_far_finds_no_part_of_what_it_needs() -> None:
    topic = Topic("chat:5", at=0)
    behind = Entry(RecordingReceiver(), user_id=1, position=-1, admitted=0)
    topic.enter(behind)
    taken(topic, *range(1, MAX_RECENT + 3))
    assert topic.recent_after(0) == []
    assert [e.seq for e in topic.recent_after(MAX_RECENT)] == [MAX_RECENT + 1, MAX_RECENT + 2]
