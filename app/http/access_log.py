"""One line for each request, on the logger `starling.access`, at info.

The fields travel as `extra`: method (WEBSOCKET for a socket), path, status, duration_ms, statements and
database_ms (what was asked of the database, BEGIN and COMMIT included, and how long it took to answer). The
path is the route's template, so that lines can be counted by it; only an unknown path stands there as it was
asked for, escaped and cut. Query strings, headers and bodies may hold secrets and are never written.
"""

import logging
from typing import Final
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


def is_on() -> bool:
    """Whether lines are wanted at all: asked first, because measuring costs too."""
    return _logger.isEnabledFor(logging.INFO)


def write(scope: Scope, status: int, seconds: float, asked: Tally) -> None:
    """Write the line of a request that took so long; `status` 0 is no answer, `asked` what it cost the
    database."""
    duration_ms = round(seconds * 1000, 3)
    method = scope.get("method", "WEBSOCKET")
    path = scope.get(TEMPLATE) or quote(scope["path"], safe="/", errors="replace")[:_LONGEST_PATH]
    fields = {
        "method": method,
        "path": path,
        "status": status or CLIENT_LEFT,
        "duration_ms": duration_ms,
        "statements": asked.statements,
        "database_ms": round(asked.seconds * 1000, 3),
    }
    # Not _logger.info(), whose search for the calling line takes a third of the time that a log line costs.
    _logger.handle(
        _logger.makeRecord(_logger.name, logging.INFO, __file__, 0, _LINE, (fields,), None, extra=fields)
    )
