"""How long to wait before the next try: longer each time, and never in step with the other processes."""

import random


class Backoff:
    """Delays in seconds: `first`, then doubled up to `longest`, each shortened by up to a half."""

    def __init__(self, first: float, longest: float) -> None:
        self._first = first
        self._longest = longest
        self._delay = first

    def next(self) -> float:
        """The delay before the next try."""
        delay = self._delay
        self._delay = min(delay * 2, self._longest)
        return delay * random.uniform(0.5, 1.0)  # noqa: S311  # jitter, not a secret

    def reset(self) -> None:
        """It worked: the next failure starts from the first delay again."""
        self._delay = self._first
