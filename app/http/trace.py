"""The trace that a request belongs to, as its caller says in `traceparent` (W3C Trace Context): for the
log."""

import re
from contextvars import ContextVar
from typing import Final, NamedTuple

_TRACEPARENT: Final = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?")
_NO_TRACE: Final = b"0" * 32
_NO_PARENT: Final = b"0" * 16


class Trace(NamedTuple):
    """The ids of a trace and of the span in it that called us, in lower-case hexadecimal."""

    trace_id: str
    parent_id: str


current_trace: ContextVar[Trace | None] = ContextVar("starling_trace", default=None)
"""Bound by the edge for the time of a request whose caller is traced."""


def parsed_trace(traceparent: bytes) -> Trace | None:
    """The trace of a header; None for one that is not well-formed, and so is ignored."""
    match = _TRACEPARENT.fullmatch(traceparent)
    if match is None or traceparent.startswith(b"ff") or match[1] == _NO_TRACE or match[2] == _NO_PARENT:
        return None
    return Trace(match[1].decode(), match[2].decode())
