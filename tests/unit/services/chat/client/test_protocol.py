from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.chat.client import Gone, Happened, Live, Refused, Reset, Sent
from services.chat.client.protocol import Conversation, Frame

READY = {"type": "ready", "user_id": 1, "heartbeat_seconds": 25.0, "worker": "w"}
PONG = {"type": "pong"}


def subscribed(chat_id: int, seq: int) -> Frame:
    return {"type": "subscribed", "chat_id": chat_id, "seq": seq, "presence": []}


def event(chat_id: int, seq: int, kind: str = "new_message", **more: Any) -> Frame:
    return {"type": kind, "chat_id": chat_id, "seq": seq, **more}


def heard(conversation: Conversation, *frames: Frame) -> list[Frame]:
    """Everything that is said to these frames."""
    return [answer for frame in frames for answer in conversation.hear(frame)]


def told(conversation: Conversation) -> list[object]:
    """The notices since the last time."""
    notices, conversation.notices = conversation.notices, []
    return list(notices)


def seqs(conversation: Conversation) -> list[int]:
    return [one.event["seq"] for one in told(conversation) if isinstance(one, Happened)]


def live(*chats: tuple[int, int]) -> Conversation:
    """A conversation that follows these chats from these seqs on."""
    conversation = Conversation()
    heard(conversation, READY, *(subscribed(chat_id, seq) for chat_id, seq in chats), PONG)
    assert told(conversation) == [Live(1)]
    return conversation


def test_once_signed_in_it_follows_everything_and_says_when_it_does() -> None:
    conversation = Conversation()
    assert heard(conversation, READY) == [{"type": "subscribe_all", "since": {}}, {"type": "ping"}]
    heard(conversation, subscribed(7, 3))
    assert told(conversation) == []
    heard(conversation, PONG, PONG)
    assert told(conversation) == [Live(1)]
    assert heard(conversation, READY) == []  # the answer to a renewed token


def test_it_resumes_each_chat_where_it_was() -> None:
    conversation = live((7, 3), (8, 0))
    heard(conversation, event(7, 4))
    conversation.lose()
    since = {"7": 4, "8": 0}
    assert heard(conversation, READY)[0] == {"type": "subscribe_all", "since": since}


def test_doubles_are_told_once_and_a_gap_is_asked_for_once() -> None:
    conversation = live((7, 3))
    assert heard(conversation, event(7, 4), event(7, 4), event(7, 3)) == []
    assert seqs(conversation) == [4]
    assert heard(conversation, event(7, 6), event(7, 7)) == [{"type": "subscribe", "chat_id": 7, "since": 4}]
    heard(conversation, subscribed(7, 7), event(7, 5), event(7, 6), event(7, 7), event(7, 8))
    assert seqs(conversation) == [5, 6, 7, 8]


def test_after_a_reset_the_stream_goes_on_from_there() -> None:
    conversation = live((7, 3))
    conversation.lose()
    heard(
        conversation, READY, subscribed(7, 50), {"type": "reset", "chat_id": 7, "seq": 50}, event(7, 51), PONG
    )
    assert told(conversation) == [Reset(7, 50), Happened(event(7, 51)), Live(1)]


def test_a_chat_that_is_joined_begins_with_its_event() -> None:
    conversation = live()
    heard(conversation, event(9, 5, "member_added"), event(9, 6))
    assert seqs(conversation) == [5, 6]


def test_a_chat_that_was_left_while_away_is_gone_and_one_that_is_left_is_forgotten() -> None:
    conversation = live((7, 3), (8, 0), (9, 1))
    heard(conversation, event(9, 2, "member_removed", user_id=1), event(8, 1, "member_removed", user_id=2))
    assert seqs(conversation) == [2, 1]
    conversation.lose()
    heard(conversation, READY, subscribed(8, 1), PONG)
    assert told(conversation) == [Gone(7), Live(1)]


def test_a_message_is_said_again_until_it_is_acknowledged() -> None:
    conversation = live()
    first, second = conversation.send(7, "one"), conversation.send(7, "two", reply_to_id=5, nonce="n")
    assert second == {"type": "send", "chat_id": 7, "body": "two", "nonce": "n", "reply_to_id": 5}
    heard(conversation, {"type": "ack", "nonce": first["nonce"], "message_id": 1, "seq": 1})
    assert told(conversation) == [Sent(first["nonce"], 1, 1)]
    conversation.lose()
    assert heard(conversation, READY)[-1] == second
    ack = {"type": "ack", "nonce": "n", "message_id": 2, "seq": 2}
    heard(conversation, ack, ack)
    assert told(conversation) == [Sent("n", 2, 2)]
    assert conversation.unsent == ()


def test_what_is_refused_for_good_is_not_said_again_and_what_may_pass_is() -> None:
    conversation = live()
    conversation.send(7, "one", nonce="a")
    conversation.send(7, "two", nonce="b")
    denied, away = {"status": 403, "detail": "no"}, {"status": 503}
    heard(conversation, {"type": "error", "ref": "a", "problem": denied})
    heard(conversation, {"type": "error", "ref": "b", "problem": away})
    heard(conversation, {"type": "error", "problem": denied})
    assert told(conversation) == [Refused("a", denied), Refused(None, denied)]
    assert conversation.unsent == ("b",)


def test_what_has_no_seq_is_told_as_it_comes() -> None:
    conversation = live((7, 3))
    typing = {"type": "typing", "chat_id": 7, "user_id": 2}
    heard(conversation, typing, typing)
    assert told(conversation) == [Happened(typing)] * 2


@given(st.lists(st.one_of(st.integers(1, 12), st.just("lose")), max_size=60))
def test_whatever_arrives_is_told_once_in_order_and_without_a_gap(steps: list[Any]) -> None:
    conversation = live((7, 0))
    for step in steps:
        if step == "lose":
            conversation.lose()
            heard(conversation, READY, subscribed(7, 12))
            continue
        for question in heard(conversation, event(7, step)):
            since = question["since"]
            heard(conversation, subscribed(7, 12), *(event(7, seq) for seq in range(since + 1, 13)))
    found = seqs(conversation)
    assert found == list(range(1, len(found) + 1))
