"""Where a page of the list of chats ends: opaque to clients, a place in the order of the list."""

import base64
import binascii
import datetime
from typing import Annotated, Final, NamedTuple

import msgspec
from msgspec import Meta

from orm import CursorError, Place

_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MICROSECOND: Final = datetime.timedelta(microseconds=1)


class ChatPlace(NamedTuple):
    """A chat in that order: whether it is pinned, the time of its last message, and its id where times are
    equal. All None: before the first.
    """

    is_pinned: bool | None
    active_at: datetime.datetime | None
    chat_id: int | None


NOWHERE: Final = ChatPlace(None, None, None)


class _Written(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    is_pinned: bool
    micros: int
    chat_id: Annotated[int, Meta(ge=1, le=2**63 - 1)]


def encode_cursor(is_pinned: bool, active_at: datetime.datetime, chat_id: int) -> str:
    """The `next` of a page that ends with this chat."""
    written = _Written(is_pinned, (active_at - _EPOCH) // _MICROSECOND, chat_id)
    return base64.urlsafe_b64encode(msgspec.json.encode(written)).decode().rstrip("=")


def decode_cursor(text: str) -> ChatPlace:
    """The place that `after` names. Raises CursorError for a text that no `next` was."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars="-_", validate=True)
        written = msgspec.json.decode(raw, type=_Written)
        return ChatPlace(written.is_pinned, _EPOCH + written.micros * _MICROSECOND, written.chat_id)
    except (binascii.Error, ValueError, OverflowError) as error:
        sentence = "This is not the `next` of a list of chats: start with the first page."
        raise CursorError(sentence, errors=[Place("/query/after", "cursor", sentence)]) from error
