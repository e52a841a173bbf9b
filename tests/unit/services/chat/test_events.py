import datetime as dt
from typing import Any

import msgspec
import pytest

from orm import UsageError
from services.chat.events import (
    ChatUpdated,
    MemberAdded,
    MemberRemoved,
    MessageDeleted,
    MessagePinned,
    MessagesRead,
    NewMessageEvent,
    Presence,
    ReactionUpdate,
    Typing,
    durable_frame,
    ephemeral_frame,
    event_type,
    plain_frame,
)
from services.chat.rules import preset
from services.chat.schemas import ChatCard, MemberView, MessageView, ReactionView

AT = dt.datetime(2031, 5, 6, 7, 8, 9, 123456, tzinfo=dt.UTC)
PLACE = {"chat_id": 7, "seq": 3, "at": "2031-05-06T07:08:09.123456Z"}

MESSAGE = MessageView(
    id=11, chat_id=7, author_id=1, body='say "hi" }', reply_to_id=None, pinned=False, created_at=AT
)
CARD = ChatCard(
    id=7,
    name="Birds",
    chat_type="group",
    description=None,
    archived=False,
    creator_id=1,
    created_at=AT,
    last_seq=3,
)
MEMBER = MemberView(
    user_id=2,
    name="Bob",
    last_read_message_id=None,
    joined_at=AT,
    **msgspec.structs.asdict(preset("group")),
)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (
            NewMessageEvent(message=MESSAGE),
            {
                "type": "new_message",
                "message": {
                    "id": 11,
                    "chat_id": 7,
                    "author_id": 1,
                    "body": 'say "hi" }',
                    "reply_to_id": None,
                    "forwarded_from_id": None,
                    "pinned": False,
                    "created_at": PLACE["at"],
                    "edited_at": None,
                    "deleted_at": None,
                    "reactions": [],
                    "mentions": [],
                },
            },
        ),
        (
            MessagePinned(message_id=11, pinned=True, user_id=1),
            {"type": "message_pinned", "message_id": 11, "pinned": True, "user_id": 1},
        ),
        (MessageDeleted(message_id=11), {"type": "message_deleted", "message_id": 11}),
        (
            ReactionUpdate(message_id=11, reactions=(ReactionView(emoji="👍", user_ids=(2, 1)),)),
            {
                "type": "reaction_update",
                "message_id": 11,
                "reactions": [{"emoji": "👍", "user_ids": [2, 1]}],
            },
        ),
        (MemberRemoved(user_id=2), {"type": "member_removed", "user_id": 2}),
        (
            ChatUpdated(chat=CARD),
            {
                "type": "chat_updated",
                "chat": {
                    "id": 7,
                    "name": "Birds",
                    "chat_type": "group",
                    "description": None,
                    "archived": False,
                    "creator_id": 1,
                    "created_at": PLACE["at"],
                    "last_seq": 3,
                },
            },
        ),
        (
            MessagesRead(user_id=2, message_id=11),
            {"type": "messages_read", "user_id": 2, "message_id": 11},
        ),
        (
            MemberAdded(member=MEMBER),
            {
                "type": "member_added",
                "member": {
                    "user_id": 2,
                    "name": "Bob",
                    "is_admin": False,
                    "can_read": True,
                    "can_write": True,
                    "can_pin": False,
                    "can_invite": False,
                    "can_delete_others": False,
                    "last_read_message_id": None,
                    "joined_at": PLACE["at"],
                },
            },
        ),
    ],
)
def test_a_durable_event_carries_its_place_in_the_stream(event: Any, expected: Any) -> None:
    frame = durable_frame(event, chat_id=7, seq=3, at=AT)
    assert msgspec.json.decode(frame) == expected | PLACE


def test_an_event_of_another_module_is_a_mapping_with_a_type() -> None:
    event = {"type": "order_shipped", "order_id": 5, "seq": 99, "at": "yesterday", "chat_id": 1}
    frame = durable_frame(event, chat_id=7, seq=3, at=AT)
    assert msgspec.json.decode(frame) == {"type": "order_shipped", "order_id": 5} | PLACE
    assert event_type(event) == "order_shipped"


def test_an_ephemeral_event_has_a_chat_and_no_number() -> None:
    frame = ephemeral_frame(Typing(user_id=2), chat_id=7)
    assert msgspec.json.decode(frame) == {"type": "typing", "user_id": 2, "chat_id": 7}
    frame = ephemeral_frame(Presence(user_id=2, online=False), chat_id=7)
    assert msgspec.json.decode(frame) == {"type": "presence", "user_id": 2, "online": False, "chat_id": 7}


def test_an_event_for_a_user_is_sent_as_it_is() -> None:
    assert msgspec.json.decode(plain_frame({"type": "hello"})) == {"type": "hello"}


@pytest.mark.parametrize("event", [{}, {"type": ""}, {"type": 5}, {"kind": "typing"}])
def test_an_event_without_a_type_is_refused_before_anything_is_sent(event: Any) -> None:
    with pytest.raises(UsageError, match="type"):
        durable_frame(event, chat_id=7, seq=3, at=AT)
    with pytest.raises(UsageError, match="type"):
        plain_frame(event)
