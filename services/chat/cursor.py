"""Where a page of the list of chats ends: opaque to clients, a place in the order by time of the last
message.
"""

import base64
import binascii
import datetime
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from orm import CursorError, Place

_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MICROSECOND: Final = datetime.timedelta(microseconds=1)


class ChatPlace(msgspec.Struct, frozen=True, array_like=True):
    """A chat in that order: the time of its last message, and its id where times are equal."""

    micros: int
    chat_id: Annotated[int, Meta(ge=1, le=2**63 - 1)]

    @property
    def active_at(self) -> datetime.datetime:
        """The time. Raises OverflowError for one that no calendar has."""
        return _EPOCH + self.micros * _MICROSECOND


def encode_cursor(active_at: datetime.datetime, chat_id: int) -> str:
    """The `next` of a page that ends with this chat."""
    place = ChatPlace((active_at - _EPOCH) // _MICROSECOND, chat_id)
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def decode_cursor(text: str) -> tuple[datetime.datetime, int]:
    """The place that `after` names. Raises CursorError for a text that no `next` was."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars="-_", validate=True)
        place = msgspec.json.decode(raw, type=ChatPlace)
        return place.active_at, place.chat_id
    except (binascii.Error, ValueError, OverflowError) as error:
        sentence = "This is not the `next` of a list of chats: start with the first page."
        raise CursorError(sentence, errors=[Place("/query/after", "cursor", sentence)]) from error
