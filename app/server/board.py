"""A board in shared memory on which each worker leaves its numbers, so that any of them can show those of
all.

It is made by the parent before it forks. Each worker writes in a place of its own, with a number before and
after that says which writing it is: a reader that finds two different ones, or an odd one, has met a
writing and takes the place for empty. Nothing is locked, and a worker that was killed in the middle harms
nobody.
"""

import mmap
import struct
from typing import Final

PLACE_BYTES: Final = 262_144
"""For some 150 routes with their histograms. A page that nobody writes on takes no memory."""

_HEAD: Final = struct.Struct("<QI")
_TAIL: Final = struct.Struct("<Q")


class Board:
    """`size` places for bytes."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._memory = mmap.mmap(-1, size * PLACE_BYTES)

    def write(self, place: int, content: bytes) -> bool:
        """Leave `content`; False, and nothing is changed, when it is too long."""
        if len(content) > PLACE_BYTES - _HEAD.size - _TAIL.size:
            return False
        start = place * PLACE_BYTES
        version = _HEAD.unpack_from(self._memory, start)[0] // 2 * 2 + 2
        _HEAD.pack_into(self._memory, start, version - 1, len(content))  # odd: in the making
        body = start + _HEAD.size
        self._memory[body : body + len(content)] = content
        _TAIL.pack_into(self._memory, body + len(content), version)
        _HEAD.pack_into(self._memory, start, version, len(content))
        return True

    def clear(self, place: int) -> None:
        """Leave nothing."""
        self.write(place, b"")

    def read(self, place: int) -> bytes:
        """What was left; empty when nothing was, or when it is just being written."""
        start = place * PLACE_BYTES
        version, length = _HEAD.unpack_from(self._memory, start)
        body = start + _HEAD.size
        if version % 2 or body + length + _TAIL.size > start + PLACE_BYTES:
            return b""
        content = self._memory[body : body + length]
        is_whole = (
            _TAIL.unpack_from(self._memory, body + length)[0] == version
            and _HEAD.unpack_from(self._memory, start)[0] == version
        )
        return content if is_whole else b""
