"""The rows of one search, and the way to those that follow."""

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Page(list[T]):
    """A list of records that knows where it ended."""

    __slots__ = ("_make_next", "_next")

    def __init__(self, records: list[T], make_next: Callable[[], str] | None = None) -> None:
        super().__init__(records)
        self._make_next = make_next
        self._next: str | None = None

    @property
    def next(self) -> str | None:
        """The cursor to give as `after`, or None when the page is not full: then nothing follows. After a
        full page the next one may turn out to be empty.

        It is signed when it is asked for, which most programs do not (15 us)."""
        if self._next is None and self._make_next is not None:
            self._next = self._make_next()
        return self._next
