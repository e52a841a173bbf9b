"""How patient the parent is with a process that ends by itself."""

_FIRST_DELAY_SECONDS = 0.1
_LONGEST_DELAY_SECONDS = 5.0
_SETTLED_SECONDS = 10.0
_MOST_FAILED_STARTS = 5


class Restarts:
    """Counts the ends of one process and its successors.

    One that ends before it was up is a failed start: five of them in a row (3 s with the pauses) are enough.
    One that ends soon after it was up is started again for ever, but at growing intervals.
    """

    def __init__(self) -> None:
        self._failed_starts = 0
        self._early_ends = 0

    def delay_after(self, lived_seconds: float, *, was_up: bool) -> float | None:
        """Seconds to wait before the next start; None: give it up."""
        self._failed_starts = 0 if was_up else self._failed_starts + 1
        self._early_ends = 0 if lived_seconds >= _SETTLED_SECONDS else self._early_ends + 1
        if self._failed_starts >= _MOST_FAILED_STARTS:
            return None
        return min(_FIRST_DELAY_SECONDS * 2.0 ** max(0, self._early_ends - 1), _LONGEST_DELAY_SECONDS)
