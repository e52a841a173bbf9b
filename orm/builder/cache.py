"""A bounded cache of statement texts by shape."""

from collections import OrderedDict
from collections.abc import Hashable

CAPACITY = 2048
"""Shapes kept. A text is some 500 bytes, so the whole is about 1 MB; a client that makes up shapes pushes
out old ones only."""


class TextCache:
    """Least recently used texts go first."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._texts: OrderedDict[Hashable, str] = OrderedDict()

    def get(self, shape: Hashable) -> str | None:
        """The text of `shape`, or None: then it is made and `put` here."""
        text = self._texts.get(shape)
        if text is not None:
            self._texts.move_to_end(shape)
        return text

    def put(self, shape: Hashable, text: str) -> str:
        """`text`, which from now on is found under `shape`.

        Two methods, because a function that makes the text on demand costs more at every call (0.3 us) than
        the look-up."""
        self._texts[shape] = text
        if len(self._texts) > self._capacity:
            self._texts.popitem(last=False)
        return text

    def __len__(self) -> int:
        return len(self._texts)
