"""JSON as it leaves the house: one encoder for every answer and every frame.

Decimals are strings, because a float would round them. Datetimes are RFC 3339; a UTC one ends in Z, which is
what the ORM hands out (one with another offset keeps it). Bytes are base64. `msgspec.Raw` is passed through
as it is. An object that msgspec does not know is asked for `as_dict()`.
"""

from collections.abc import Callable
from typing import Final

import msgspec


def _as_dict(value: object) -> object:
    as_dict: Callable[[], object] | None = getattr(value, "as_dict", None)
    if as_dict is None:
        raise TypeError(f"{type(value).__qualname__} cannot be written as JSON: give it an as_dict()")
    return as_dict()


_encoder: Final = msgspec.json.Encoder(enc_hook=_as_dict, decimal_format="string")

encode: Final = _encoder.encode
"""The JSON text of a value, in UTF-8. Raises TypeError for what is no data and has no `as_dict()`."""
