from app.realtime.broker.outbox import Outbox
from app.realtime.broker.wire import Gap
from app.realtime.events import Envelope, Head


def event(seq: int | None, topic: str = "chat:5", *, joins: tuple[int, ...] = (), size: int = 10) -> Envelope:
    return Envelope(topic, seq, b"x" * size, joins=joins)


def test_events_are_taken_in_order_and_once() -> None:
    outbox = Outbox()
    events = [event(1), event(None), event(2), event(1, "chat:6")]
    for one in events:
        outbox.put(one)
    assert len(outbox) == 4
    assert outbox.take() == events
    assert not outbox
    assert outbox.take() == []


def test_past_the_bound_in_bytes_payloads_give_way_to_one_head_a_topic() -> None:
    outbox = Outbox(max_bytes=100)
    for seq in range(1, 9):
        outbox.put(event(seq, size=30))
    outbox.put(event(3, "chat:6", size=90))
    assert outbox.take() == [Head("chat:5", 8), event(3, "chat:6", size=90)]


def test_past_the_bound_in_number_ephemeral_events_are_gone() -> None:
    outbox = Outbox(max_messages=2)
    for one in (event(1), event(None), event(2)):
        outbox.put(one)
    assert outbox.take() == [Head("chat:5", 1), event(2)]


def test_heads_of_joins_are_kept_one_by_one() -> None:
    outbox = Outbox()
    outbox.put_back([event(1, joins=(7,)), event(2, joins=(8,)), event(3)])
    assert outbox.take() == [Head("chat:5", 1, (7,)), Head("chat:5", 2, (8,)), Head("chat:5", 3)]


def test_what_is_put_back_comes_before_what_has_gathered_meanwhile() -> None:
    outbox = Outbox()
    outbox.put(event(1))
    taken = outbox.take()
    outbox.put(event(2))
    outbox.put_back(taken)
    assert outbox.take() == [Head("chat:5", 1), event(2)]


def test_an_older_head_does_not_replace_a_newer_one() -> None:
    outbox = Outbox()
    outbox.put_back([event(9), event(4)])
    assert outbox.take() == [Head("chat:5", 9)]


def test_past_the_bound_of_heads_a_gap_is_left() -> None:
    outbox = Outbox(max_heads=3)
    outbox.put_back([event(1, f"chat:{number}") for number in range(10)])
    outbox.put(event(1, "chat:99"))
    assert outbox.take() == [Gap(), event(1, "chat:99")]
    assert not outbox


def test_a_gap_that_could_not_be_sent_is_kept() -> None:
    outbox = Outbox()
    outbox.put_back([Gap(), event(1)])
    assert outbox.take() == [Gap()]
