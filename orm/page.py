"""The rows of one search, and the way to those that follow."""

from typing import TypeVar

T = TypeVar("T")


class Page(list[T]):
    """A list of records that knows where it ended.

    `next` is the cursor to give as `after`, or None when the page is not full: then nothing follows. After
    a full page the next one may turn out to be empty."""

    __slots__ = ("next",)

    def __init__(self, records: list[T]) -> None:
        super().__init__(records)
        self.next: str | None = None
