"""One line for each request, on the logger `starling.access`, at info.

The fields travel as `extra`: method (WEBSOCKET for a socket), path, status, duration_ms, statements and
database_ms (what was asked of the database, BEGIN and COMMIT included, and how long it took to answer). The
path is the route's template, so that lines can be counted by it; only an unknown path stands there as it was
asked for, escaped and cut. Query strings, headers and bodies may hold secrets and are never written.
"""

import logging
import os
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from starlette.types import Scope

from orm.tally import Tally

TEMPLATE: Final = "starling.path_template"
"""Key in the scope under which whoever finds the route leaves its template, `/chats/{chat_id:int}`."""

_LINE: Final = (
    "%(method)s %(path)s %(status)d %(duration_ms).1f ms, %(statements)d statements %(database_ms).1f ms"
)

_LONGEST_PATH: Final = 200

# What nginx writes for a client that left before it was answered; no answer of ours has it.
CLIENT_LEFT: Final = 499

_logger = logging.getLogger("starling.access")

_SAME_FOR_ALL: Final[Mapping[str, Any]] = vars(
    _logger.makeRecord(_logger.name, logging.INFO, __file__, 0, _LINE, (), None)
)
_BEGAN: Final = _SAME_FOR_ALL["created"] - _SAME_FOR_ALL["relativeCreated"] / 1000


class AccessRecord(logging.LogRecord):
    """The record of one request, made without asking anew what is the same for all of them: the names of
    file, thread and process. That and the search for the calling line are two thirds of what a record costs.
    """

    ATTRIBUTES: Final = len(_SAME_FOR_ALL) + 6
    """As many has one to which nobody added any."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        created = time.time()
        attributes = self.__dict__
        attributes.update(_SAME_FOR_ALL)
        attributes.update(fields)
        attributes["args"] = fields
        attributes["process"] = os.getpid()
        attributes["created"] = created
        attributes["msecs"] = created % 1 * 1000
        attributes["relativeCreated"] = (created - _BEGAN) * 1000


def is_on() -> bool:
    """Whether lines are wanted at all: asked first, because measuring costs too."""
    return _logger.isEnabledFor(logging.INFO)


def write(scope: Scope, status: int, seconds: float, asked: Tally) -> None:
    """Write the line of a request that took so long; `status` 0 is no answer, `asked` what it cost the
    database."""
    path = scope.get(TEMPLATE) or quote(scope["path"], safe="/", errors="replace")[:_LONGEST_PATH]
    fields = {
        "method": scope.get("method", "WEBSOCKET"),
        "path": path,
        "status": status or CLIENT_LEFT,
        "duration_ms": round(seconds * 1000, 3),
        "statements": asked.statements,
        "database_ms": round(asked.seconds * 1000, 3),
    }
    _logger.handle(AccessRecord(fields))
