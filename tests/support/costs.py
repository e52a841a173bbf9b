"""What requests asked of the database, as the access log has it: what others do meanwhile does not count.

with access_lines() as lines:
    await client.get("/chats")
assert lines[-1].statements == 2
"""

import contextlib
import logging
from collections.abc import Iterator
from typing import NamedTuple


class Line(NamedTuple):
    """One request. `statements` are those that were waited for, BEGIN and COMMIT included."""

    method: str
    path: str
    statements: int


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
