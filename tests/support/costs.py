"""What requests asked of the database, as the access log has it: what others do meanwhile does not count.

assert await statements_of(lambda: client.get("/chats")) == 2
"""

import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import NamedTuple


class Line(NamedTuple):
    """One request. `statements` are those that were waited for, BEGIN and COMMIT included."""

    method: str
    path: str
    statements: int


async def statements_of(ask: Callable[[], Awaitable[object]]) -> int:
    """The statements of the request that `ask` makes: the least of four, because on a busy machine one may
    have to read rights and sessions anew."""
    with access_lines() as lines:
        for _ in range(4):
            await ask()
    return min(line.statements for line in lines)


@contextlib.contextmanager
def access_lines() -> Iterator[list[Line]]:
    """The requests that are answered inside the block, in the order of their ends."""
    lines: list[Line] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said = record.__dict__
            lines.append(Line(said["method"], said["path"], said["statements"]))

    logger, collector = logging.getLogger("starling.access"), Collector()
    level = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(collector)
    try:
        yield lines
    finally:
        logger.removeHandler(collector)
        logger.setLevel(level)
