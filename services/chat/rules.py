"""Who may do what in a chat, and what a message may be: plain functions, no database."""

from typing import Final, Literal

import msgspec

from orm import AccessDenied, Conflict, Invalid, Place
from services.chat.emoji import is_emoji

ChatType = Literal["direct", "group", "channel", "record"]
Right = Literal["is_admin", "can_read", "can_write", "can_pin", "can_invite", "can_delete_others"]

MAX_NAMED_USERS: Final = 500
"""Users that one request may name. Each is an event for each of the others."""

MAX_NAME_CHARS: Final = 255

MAX_EMOJI: Final = 20
"""Different emoji on one message; how many people use one is not limited."""

_LACKS: Final[dict[Right, str]] = {
    "is_admin": "This is for administrators of the chat.",
    "can_read": "You may not read this chat.",
    "can_write": "You may not write in this chat.",
    "can_pin": "You may not pin messages in this chat.",
    "can_invite": "You may not add members to this chat.",
    "can_delete_others": "You may not delete messages of others in this chat.",
}


class Rights(msgspec.Struct, frozen=True, kw_only=True):
    """What a member may do. An administrator of the chat may do everything, whatever the others say."""

    is_admin: bool = False
    can_read: bool = False
    can_write: bool = False
    can_pin: bool = False
    can_invite: bool = False
    can_delete_others: bool = False


CREATOR: Final = Rights(
    is_admin=True, can_read=True, can_write=True, can_pin=True, can_invite=True, can_delete_others=True
)

_PRESETS: Final[dict[ChatType, Rights]] = {
    "direct": Rights(can_read=True, can_write=True, can_pin=True),
    "group": Rights(can_read=True, can_write=True),
    "channel": Rights(can_read=True),
    "record": Rights(can_read=True, can_write=True),
}


def preset(chat_type: ChatType, *, is_creator: bool = False) -> Rights:
    """What a new member of such a chat may do; its creator may do everything."""
    return CREATOR if is_creator else _PRESETS[chat_type]


def require(right: Right, is_held: bool) -> None:
    """Raise AccessDenied, saying what is missing, unless the right is held."""
    if not is_held:
        raise AccessDenied(_LACKS[right])


def require_open(*, archived: bool) -> None:
    """Raise Conflict for a chat that is archived: it can be read, and nothing in it changes."""
    if archived:
        raise Conflict("This chat is archived.")


def direct_key(one: int, other: int) -> str:
    """What the two users of a direct chat are told apart by, the same for both of them."""
    return f"{min(one, other)}:{max(one, other)}"


def check_body(body: str, *, max_chars: int) -> None:
    """Raise Invalid, with the pointer /body, for a message that says nothing or too much."""
    if not body.strip():
        raise _wrong_body("empty", "A message says something: this one is empty.")
    if len(body) > max_chars:
        raise _wrong_body(
            "too_long", f"A message has at most {max_chars} characters; this one has {len(body)}."
        )


def check_emoji(emoji: str) -> None:
    """Raise Invalid, with the pointer /emoji, for a text that is not one emoji."""
    if not is_emoji(emoji):
        sentence = "A reaction is one emoji."
        raise Invalid(sentence, errors=[Place("/emoji", "not_an_emoji", sentence)])


def _wrong_body(code: str, sentence: str) -> Invalid:
    return Invalid(sentence, errors=[Place("/body", code, sentence)])
