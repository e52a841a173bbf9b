"""Which request the running code belongs to: what logs and problems are found again by."""

from contextvars import ContextVar

request_id: ContextVar[str | None] = ContextVar("starling_request_id", default=None)
"""The id of the request (or socket) being served; None outside of one. The edge sets and resets it."""
