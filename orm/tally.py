"""What a piece of work asks of the database: how many statements, and how long it waited for their answers.

Whoever wants to know gives the context a tally (`set_tally`), and every connection that is used in this
context, or in tasks that are started from it, adds to it: 0.2 us a statement, 0.06 us where nobody asked."""

from contextvars import ContextVar, Token
from time import perf_counter


class Tally:
    """`statements` counts messages that were waited for, those of transactions (BEGIN, COMMIT) included;
    `seconds` is the sum of the waits, without that for a connection."""

    __slots__ = ("seconds", "statements")

    def __init__(self) -> None:
        self.statements = 0
        self.seconds = 0.0

    def add_since(self, began: float) -> None:
        """One more, asked at `began` (perf_counter) and answered now."""
        self.statements += 1
        self.seconds += perf_counter() - began


_tally: ContextVar[Tally | None] = ContextVar("starling_tally", default=None)


def set_tally(tally: Tally) -> Token[Tally | None]:
    """From now on the work of this context is counted here; give the token to `reset_tally` when done."""
    return _tally.set(tally)


def reset_tally(token: Token[Tally | None]) -> None:
    """Put back what was there before."""
    _tally.reset(token)


current_tally = _tally.get
"""The tally of this context, or None."""
