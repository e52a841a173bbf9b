"""The id that a request is found again by, in its answer, in the log and in error reports."""

import itertools
import re
import secrets
from typing import Final

# What a client may choose: long enough for any tracing system, and nothing in it that could break a header or
# a log line.
_SANE: Final = re.compile(rb"[A-Za-z0-9._-]{1,128}")


class RequestIds:
    """Chooses the ids of one process: a client's own where it is sane, else a random prefix and a number."""

    def __init__(self) -> None:
        self._prefix = f"{secrets.token_hex(8)}-"
        self._numbers = itertools.count(1)

    def choose(self, from_client: bytes | None) -> str:
        """The id of the next request. `from_client` is the raw X-Request-ID header, None without one."""
        if from_client is not None and _SANE.fullmatch(from_client):
            return from_client.decode("ascii")
        return f"{self._prefix}{next(self._numbers):x}"
