"""An answer that is held back: until a transaction has committed, or as a part of another answer."""

from typing import Final

from starlette.types import Message, Send

from app.http.replies import RawHeaders
from orm.errors import Invalid

LARGEST_CAPTURED: Final = 16 * 1_048_576
"""Bytes that may be held back; a stream without end cannot."""


class CapturedAnswer:
    """What an application answered. `status` is 0 until it has."""

    def __init__(self, status: int = 0, headers: RawHeaders | None = None, body: bytes = b"") -> None:
        self.status = status
        self.headers: RawHeaders = headers or []
        self.size = len(body)
        self._parts = [body]

    @property
    def body(self) -> bytes:
        """The whole body."""
        return b"".join(self._parts)

    async def send(self, message: Message) -> None:
        """The `send` for the application. Raises Invalid when the answer is too large to be held back."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = list(message.get("headers", ()))
            return
        part: bytes = message.get("body", b"")
        self.size += len(part)
        if self.size > LARGEST_CAPTURED:
            raise Invalid(
                "The answer is too large to be held back: ask without Idempotency-Key and outside of a batch."
            )
        self._parts.append(part)

    async def give(self, send: Send) -> None:
        """Send it, if there is one."""
        if self.status:
            await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
            await send({"type": "http.response.body", "body": self.body})
