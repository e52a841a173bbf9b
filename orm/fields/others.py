"""Fields whose values are documents, bytes or identifiers."""

import math
import re
import uuid
from collections.abc import Callable
from typing import Any, Final, Unpack

import msgspec

from orm.fields.base import Field, FieldOptions

_NUL: Final = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")  # the escape, not a backslash and "u0000"


class JSONFieldType(Field):
    """Any JSON value, kept as jsonb."""

    kind = "json"
    python_type = Any

    @property
    def column_type(self) -> str:
        return "jsonb"

    @property
    def is_ordered(self) -> bool:
        return False

    def encode(self, value: Any) -> Any:
        try:
            text = msgspec.json.encode(value).decode()
            # msgspec writes null for a number that is none, and would so change what is kept
            is_kept = "null" not in text or _is_finite(msgspec.to_builtins(value))
        except (TypeError, ValueError, RecursionError) as error:
            raise self.invalid(f"is no JSON value: {error}") from error
        if not is_kept:
            raise self.invalid("contains NaN or an infinity, which JSON has no word for")
        if _NUL.search(text):
            raise self.invalid("contains a NUL character, which jsonb cannot hold")
        return text

    def to_filter(self, value: Any) -> Any:
        return self.encode(value)

    def decoder(self) -> Callable[[Any], Any] | None:
        return msgspec.json.decode

    def json_decoder(self) -> Callable[[Any], Any] | None:
        return msgspec.Raw  # the driver's text is JSON already


class BinaryField(Field):
    """Bytes; base64 in JSON."""

    kind = "binary"
    python_type = bytes

    @property
    def column_type(self) -> str:
        return "bytea"

    def fits(self, value: Any) -> bool:
        return value.__class__ is bytes


class UuidField(Field):
    """A UUID."""

    kind = "uuid"
    python_type = uuid.UUID

    @property
    def column_type(self) -> str:
        return "uuid"

    def fits(self, value: Any) -> bool:
        return value.__class__ is uuid.UUID


def _is_finite(value: Any) -> bool:
    """Whether every number in a document is one."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(map(_is_finite, value)) and all(map(_is_finite, value.values()))
    return not isinstance(value, list | tuple | set | frozenset) or all(map(_is_finite, value))


def JSONField(**options: Unpack[FieldOptions]) -> Any:
    """Any JSON value (jsonb)."""
    return JSONFieldType(**options)


def Binary(**options: Unpack[FieldOptions]) -> Any:
    """Bytes; base64 in JSON."""
    return BinaryField(**options)


def Uuid(**options: Unpack[FieldOptions]) -> Any:
    """A UUID."""
    return UuidField(**options)
