"""Fields whose values are documents, bytes or identifiers."""

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
        except (TypeError, ValueError, RecursionError) as error:
            raise self.invalid(f"is no JSON value: {error}") from error
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


class UuidField(Field):
    """A UUID."""

    kind = "uuid"
    python_type = uuid.UUID

    @property
    def column_type(self) -> str:
        return "uuid"


def JSONField(**options: Unpack[FieldOptions]) -> Any:
    """Any JSON value (jsonb)."""
    return JSONFieldType(**options)


def Binary(**options: Unpack[FieldOptions]) -> Any:
    """Bytes; base64 in JSON."""
    return BinaryField(**options)


def Uuid(**options: Unpack[FieldOptions]) -> Any:
    """A UUID."""
    return UuidField(**options)
