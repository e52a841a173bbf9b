"""The few lines that the parent process logs. The logger module belongs to the application, and that lives in
the workers.
"""

import contextlib
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Literal

import msgspec

LOGGER = logging.getLogger("app.server.parent")
"""For the parent's code only: nothing in a worker logs under this name, so that no line is written twice
after a fork.
"""


@contextlib.contextmanager
def parent_log(form: Literal["text", "json"]) -> Iterator[None]:
    """Inside the block LOGGER writes to standard error, in the words of the application's log."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Json() if form == "json" else _Text())
    LOGGER.addHandler(handler)
    LOGGER.setLevel(logging.INFO)
    LOGGER.propagate = False
    try:
        yield
    finally:
        LOGGER.removeHandler(handler)
        LOGGER.propagate = True


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return f"{_time(record)} {record.levelname} {record.name}: {record.getMessage()}"


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "ts": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        return msgspec.json.encode(line).decode()


def _time(record: logging.LogRecord) -> str:
    return (
        datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )
