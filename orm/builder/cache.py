"""A bounded cache of statement texts by shape."""

from collections import OrderedDict
from collections.abc import Callable, Hashable

CAPACITY = 2048
"""Shapes kept. A text is some 500 bytes, so the whole is about 1 MB; a client that makes up shapes pushes
out old ones only."""


class TextCache:
    """Least recently used texts go first."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._texts: OrderedDict[Hashable, str] = OrderedDict()

    def get(self, shape: Hashable, make: Callable[[], str]) -> str:
        """The text of `shape`, made by `make` when it is not here."""
        text = self._texts.get(shape)
        if text is None:
            text = self._texts[shape] = make()
            if len(self._texts) > self._capacity:
                self._texts.popitem(last=False)
        else:
            self._texts.move_to_end(shape)
        return text

    def __len__(self) -> int:
        return len(self._texts)
