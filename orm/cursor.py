"""Cursors: where a page ended, as an opaque text that the next page starts after.

A cursor holds the values that the last row had in the columns of the order, the id among them, so that the
next page is found by an index however far it lies, and rows that come and go in between neither repeat nor
hide one that was there throughout. It is signed together with the model, the order and the filter that it
belongs to: a client can neither read more through it nor use it for another question. The filter is the
asker's own; what his rules add to it is asked anew on every page."""

import base64
import binascii
import hashlib
import hmac
import zlib
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from orm.errors import CursorError, Place
from orm.metadata import ModelMeta
from orm.ordering import Order

_SIGNATURE_BYTES: Final = 16
"""Half of a SHA-256, as RFC 2104 section 5 allows: 128 bits are far beyond guessing, and the text stays
short."""

_PACKED_FROM: Final = 1000
"""Bytes of values that are worth packing: long texts in the order, in a cursor that may stand in a URL."""

_PACKED: Final = b"\x78"
"""What packed values begin with (RFC 1950); the others begin as a list does in MessagePack, with 0x91 to
0x9b."""


def write_cursor(
    key: bytes, meta: ModelMeta, order: Order, filter: Sequence[Any], values: Sequence[Any]
) -> str:
    """The cursor after a row that has `values` in the columns of `order`. `filter` is `as_given`."""
    payload = msgspec.msgpack.encode(values)
    if len(payload) >= _PACKED_FROM:
        payload = zlib.compress(payload)
    return (
        base64.urlsafe_b64encode(_signature(key, meta, order, filter, payload) + payload).decode().rstrip("=")
    )


def read_cursor(
    key: bytes, meta: ModelMeta, order: Order, filter: Sequence[Any], cursor: Any, pointer: str = ""
) -> tuple[Any, ...]:
    """The values in `cursor`, as the driver takes them, one for each term of `order`.

    `filter` is `as_given`. Raises CursorError for a text that was not written with `key` for the same model,
    order and filter.
    """
    try:
        data = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        signature, payload = data[:_SIGNATURE_BYTES], data[_SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, _signature(key, meta, order, filter, payload)):
            raise ValueError("the signature does not fit")
        values = msgspec.msgpack.decode(zlib.decompress(payload) if payload.startswith(_PACKED) else payload)
        return tuple(
            None if value is None else meta.fields[name].to_filter(value)
            for (name, _), value in zip(order, values, strict=True)
        )
    except (TypeError, ValueError, binascii.Error, msgspec.DecodeError) as error:
        sentence = "this cursor is not one of this model, order and filter; start from the first page"
        raise CursorError(sentence, errors=(Place(pointer, "cursor", sentence),)) from error


def _signature(key: bytes, meta: ModelMeta, order: Order, filter: Sequence[Any], payload: bytes) -> bytes:
    question = repr((meta.table, order, filter)).encode("utf-8", "backslashreplace")
    digest = hashlib.sha256(question).digest()
    return hmac.digest(key, digest + payload, "sha256")[:_SIGNATURE_BYTES]


def as_given(part: Any) -> Any:
    """A filter as it was given, and not as it was parsed: with the asker's rules in it a cursor would die
    with each of their values, such as the time. A record stands for its id, and a set for a list; whoever
    gave the filter may change it afterwards."""
    kind = part.__class__
    if kind is str or kind is int:  # what most parts are
        return part
    if kind is list or kind is tuple:
        return [as_given(one) for one in part]
    if isinstance(part, set | frozenset):
        return sorted((as_given(one) for one in part), key=repr)
    return part.id if hasattr(kind, "__table__") else part
