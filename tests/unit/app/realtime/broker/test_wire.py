import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.realtime.broker.wire import MAX_PAYLOAD_BYTES, Gap, Outgoing, Packer, Unpacker
from app.realtime.events import Envelope, Head

# The text of events: ordinary, of several bytes a character, escaped in JSON, and long enough not to fit.
texts = st.one_of(st.text(max_size=200), st.text('ж語😀\x01"\\', max_size=4_000))
user_ids = st.lists(st.integers(1, 2**40), max_size=20).map(tuple)
topics = st.text(max_size=20)
seqs = st.integers(1, 2**53)
envelopes = st.builds(
    Envelope,
    topics,
    st.one_of(st.none(), seqs),
    texts.map(lambda text: msgspec.json.encode({"body": text})),
    user_ids,
    user_ids,
    user_ids,
)
heads = st.builds(Head, topics, seqs, user_ids)
outgoing = st.one_of(envelopes, heads, st.just(Gap()))


def through(messages: list[Outgoing], *, max_bytes: int = MAX_PAYLOAD_BYTES) -> list[Outgoing]:
    """`messages` after packing and unpacking."""
    unpacker = Unpacker()
    payloads = Packer("a", max_bytes=max_bytes).pack(messages)
    return [message for payload in payloads for message in unpacker.unpack(payload)]


def as_head(message: Outgoing) -> Outgoing:
    """What is left of a durable event that does not fit."""
    if isinstance(message, Envelope) and message.seq is not None:
        return Head(message.topic, message.seq, message.joins)
    return message


@given(st.lists(outgoing, max_size=40))
def test_no_payload_is_larger_than_the_limit_in_bytes(messages: list[Outgoing]) -> None:
    for payload in Packer("a").pack(messages):
        assert len(payload.encode()) <= MAX_PAYLOAD_BYTES
        assert "\0" not in payload


@given(st.lists(outgoing, max_size=40))
def test_everything_arrives_in_order_and_what_does_not_fit_as_its_head(messages: list[Outgoing]) -> None:
    arrived = through(messages)
    assert [as_head(message) for message in arrived] == [as_head(message) for message in messages]
    for sent, got in zip(messages, arrived, strict=True):
        if got != sent:
            assert isinstance(sent, Envelope)
            assert isinstance(got, Head)
            assert len(sent.frame) > MAX_PAYLOAD_BYTES - 1_200  # the rest of an item, users included


@given(st.lists(outgoing, max_size=20), st.integers(200, 600))
def test_a_small_limit_holds_too(messages: list[Outgoing], max_bytes: int) -> None:
    payloads = Packer("a", max_bytes=max_bytes).pack(messages)
    assert all(len(payload.encode()) <= max_bytes for payload in payloads)
    arrived = through(messages, max_bytes=max_bytes)
    assert [as_head(message) for message in arrived] == [as_head(message) for message in messages]


def test_small_events_share_a_payload() -> None:
    events: list[Outgoing] = [Envelope("chat:5", seq, b'{"body":"hello"}') for seq in range(1, 101)]
    assert len(Packer("a").pack(events)) == 1


def test_a_large_durable_event_travels_as_its_head() -> None:
    event = Envelope("chat:5", 7, msgspec.json.encode("x" * 100_000), ends=(1,), joins=(2,))
    assert through([event]) == [Head("chat:5", 7, (2,))]


def test_a_large_ephemeral_event_arrives_whole() -> None:
    event = Envelope("", None, msgspec.json.encode("ж" * 50_000), to_users=(1,))
    assert through([event]) == [event]


def test_parts_of_two_senders_do_not_mix() -> None:
    events = [Envelope("", None, msgspec.json.encode(letter * 20_000), to_users=(1,)) for letter in "ab"]
    first, second = (Packer(name).pack([event]) for name, event in zip("ab", events, strict=True))
    unpacker = Unpacker()
    arrived = [
        m for pair in zip(first, second, strict=True) for payload in pair for m in unpacker.unpack(payload)
    ]
    assert arrived == events


def test_an_item_that_misses_a_part_is_dropped_and_the_next_one_arrives() -> None:
    packer = Packer("a")
    events = [Envelope("", None, msgspec.json.encode(letter * 20_000), to_users=(1,)) for letter in "abc"]
    payloads = [packer.pack([event]) for event in events]
    unpacker = Unpacker()
    damaged = payloads[0][:-1] + payloads[1][1:] + payloads[2]
    assert [m for payload in damaged for m in unpacker.unpack(payload)] == [events[2]]


def test_halves_of_senders_that_died_do_not_add_up() -> None:
    unpacker = Unpacker()
    event = Envelope("", None, msgspec.json.encode("x" * 20_000), to_users=(1,))
    beginnings = [Packer(f"process {number}").pack([event])[0] for number in range(1_000)]
    assert all(unpacker.unpack(payload) == [] for payload in beginnings)
    assert len(unpacker._parts) <= 64


@pytest.mark.parametrize(
    "payload", ["", "hello", "{}", "[1]", '[["x"]]', '[["e","chat:5"]]', '[["e","c",1,{']
)
def test_what_is_not_ours_is_refused(payload: str) -> None:
    with pytest.raises(msgspec.DecodeError):
        Unpacker().unpack(payload)


@pytest.mark.parametrize("frame", [b'"\xff"', b'"\x00"'])
def test_bytes_that_postgres_does_not_take_leave_the_head_of_a_durable_event(frame: bytes) -> None:
    sound = Envelope("chat:5", 1, b"{}")
    assert through([sound, Envelope("chat:5", 2, frame)]) == [sound, Head("chat:5", 2)]
    assert through([sound, Envelope("chat:5", None, frame)]) == [sound]
