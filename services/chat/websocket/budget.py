"""How much one socket may say."""


class FrameBudget:
    """`per_second` frames, which may come all at once; then as many again with each second. Pure: time is
    given.
    """

    def __init__(self, per_second: int, *, now: float) -> None:
        self._per_second = per_second
        self._left = float(per_second)
        self._at = now

    def take(self, now: float) -> bool:
        """Whether one more frame may come."""
        self._left = min(self._per_second, self._left + (now - self._at) * self._per_second)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
