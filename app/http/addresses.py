"""How many things each address holds open, so that no single one takes all there is."""

from collections.abc import Iterator
from contextlib import contextmanager

from app.core.errors import TooManyRequests


class AddressCounts:
    """Counts what is open by address, up to `most` each. What is not held is not remembered."""

    __slots__ = ("_counts", "most")

    def __init__(self, most: int) -> None:
        self.most = most
        self._counts: dict[str, int] = {}

    def enter(self, address: str) -> int:
        """One more for this address, whether or not it is one too many: how many there are now. `leave` has
        to follow."""
        count = self._counts.get(address, 0) + 1
        self._counts[address] = count
        return count

    def leave(self, address: str) -> None:
        """One less."""
        left = self._counts[address] - 1
        if left:
            self._counts[address] = left
        else:
            del self._counts[address]

    @contextmanager
    def held(self, address: str) -> Iterator[None]:
        """Inside the block this address holds one more. Raises TooManyRequests when that is too many."""
        try:
            if self.enter(address) > self.most:
                raise TooManyRequests("Too many connections are open from this address.")
            yield
        finally:
            self.leave(address)

    def __len__(self) -> int:
        return len(self._counts)
