"""Envelopes as payloads of a broker: several in one, none above its limit. Pure; nothing here waits.

A payload is a JSON array of items; an item is an array that begins with its kind:

    ["e", topic, seq, frame, ends, joins, to_users]     an envelope, the frame in place as JSON
    ["h", topic, seq, joins]                            a head: the event is in the log
    ["p", sender, number, index, count, data]           a part (base64) of an item too large for one payload
    ["g"]                                               a gap: the sender could not keep even the heads
"""

import logging
from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

import msgspec

from app.realtime.events import Envelope, Head, Message

logger = logging.getLogger(__name__)

MAX_PAYLOAD_BYTES: Final = 7_900
"""PostgreSQL takes 7,999 bytes, measured in the encoding of the server."""

MAX_PART_BYTES: Final = 5_700  # 7,600 as base64
MAX_SENDERS: Final = 64  # with half an item: processes that died in the middle of one do not add up


class Gap(msgspec.Struct, frozen=True, array_like=True, tag="g"):
    """Something was published of which not even the head was kept."""


Outgoing: TypeAlias = Message | Gap


class _Event(msgspec.Struct, frozen=True, array_like=True, tag="e"):
    topic: str
    seq: int | None
    frame: msgspec.Raw
    ends: tuple[int, ...]
    joins: tuple[int, ...]
    to_users: tuple[int, ...]


class _Head(msgspec.Struct, frozen=True, array_like=True, tag="h"):
    topic: str
    seq: int
    joins: tuple[int, ...]


class _Part(msgspec.Struct, frozen=True, array_like=True, tag="p"):
    sender: str
    number: int
    index: int
    count: int
    data: bytes


_Item: TypeAlias = _Event | _Head | _Part | Gap


class Packer:
    """Makes payloads. `sender` is a name of this process that no other has."""

    def __init__(self, sender: str, *, max_bytes: int = MAX_PAYLOAD_BYTES) -> None:
        self._sender = sender
        self._max_bytes = max_bytes
        self._part_bytes = min(MAX_PART_BYTES, max_bytes * 2 // 3)
        self._numbers = 0
        self._encoder = msgspec.json.Encoder()

    def pack(self, messages: Iterable[Outgoing]) -> list[str]:
        """Payloads that carry `messages` in their order, each of at most `max_bytes` bytes."""
        payloads: list[str] = []
        gathered: list[bytes] = []
        size = 0
        for message in messages:
            for item in self._items(message):
                if gathered and size + len(item) + 2 > self._max_bytes:  # 2: the brackets
                    payloads.append(_payload(gathered))
                    gathered, size = [], 0
                gathered.append(item)
                size += len(item) + 1  # 1: the comma
        if gathered:
            payloads.append(_payload(gathered))
        return payloads

    def _items(self, message: Outgoing) -> Iterator[bytes]:
        """The message as one item, as the head of it, or in parts."""
        item = self._encoder.encode(_wired(message))
        if isinstance(message, Envelope) and not (self._fits(item) and _is_text(item)):
            if message.seq is not None:
                head = Head(message.topic, message.seq, message.joins)
                item = self._encoder.encode(_wired(head))
            elif not _is_text(item):
                logger.error("an event of %r is not UTF-8 text and was dropped", message.topic)
                return
        if self._fits(item):
            yield item
        else:
            yield from self._parts(item)

    def _parts(self, item: bytes) -> Iterator[bytes]:
        self._numbers += 1
        starts = range(0, len(item), self._part_bytes)
        for index, start in enumerate(starts):
            data = item[start : start + self._part_bytes]
            yield self._encoder.encode(_Part(self._sender, self._numbers, index, len(starts), data))

    def _fits(self, item: bytes) -> bool:
        return len(item) + 2 <= self._max_bytes


class Unpacker:
    """Reads payloads, in the order in which they arrive; keeps the parts of items that are not complete."""

    def __init__(self) -> None:
        self._decoder: msgspec.json.Decoder[list[_Item]] = msgspec.json.Decoder(list[_Item])
        self._part_decoder: msgspec.json.Decoder[_Event | _Head] = msgspec.json.Decoder(_Event | _Head)
        self._parts: dict[str, list[_Part]] = {}

    def unpack(self, payload: str | bytes) -> list[Outgoing]:
        """The messages that are complete with this payload.

        Raises msgspec.DecodeError for a payload that is not one of ours.
        """
        messages: list[Outgoing] = []
        for item in self._decoder.decode(payload):
            whole = self._joined(item) if isinstance(item, _Part) else item
            if isinstance(whole, _Event):
                frame = bytes(whole.frame)
                messages.append(
                    Envelope(whole.topic, whole.seq, frame, whole.ends, whole.joins, whole.to_users)
                )
            elif isinstance(whole, _Head):
                messages.append(Head(whole.topic, whole.seq, whole.joins))
            elif whole is not None:
                messages.append(whole)
        return messages

    def _joined(self, part: _Part) -> _Event | _Head | None:
        """The item of which this is the last part, else None.

        Parts of one sender come in order; an item that misses one is dropped.
        """
        parts = self._parts.pop(part.sender, [])
        if parts and parts[0].number != part.number:
            parts = []
        if part.index != len(parts):
            return None
        parts.append(part)
        if len(parts) == part.count:
            return self._part_decoder.decode(b"".join(p.data for p in parts))
        self._parts[part.sender] = parts
        if len(self._parts) > MAX_SENDERS:
            del self._parts[next(iter(self._parts))]
        return None


def _wired(message: Outgoing) -> _Item:
    if isinstance(message, Envelope):
        frame = msgspec.Raw(message.frame)
        return _Event(message.topic, message.seq, frame, message.ends, message.joins, message.to_users)
    if isinstance(message, Head):
        return _Head(message.topic, message.seq, message.joins)
    return message


def _payload(items: list[bytes]) -> str:
    return (b"[" + b",".join(items) + b"]").decode()


def _is_text(item: bytes) -> bool:
    """What PostgreSQL takes: UTF-8 without a zero byte."""
    try:
        item.decode()
    except UnicodeDecodeError:
        return False
    return b"\0" not in item
