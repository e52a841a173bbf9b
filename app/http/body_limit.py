"""The limit of request bodies, enforced before anything is buffered."""

import asyncio
from typing import Final

from starlette.types import Message, Receive

from app.core.errors import Malformed, PayloadTooLarge

# How long a refused client may go on sending, and how long it may pause meanwhile; it reads its answer when
# it is done. One that waits for leave to send (Expect: 100-continue) sends nothing at all.
_LINGER_SECONDS: Final = 10.0
_PAUSE_SECONDS: Final = 1.0
_LINGER_BYTES: Final = 67_108_864
_LONGEST_LENGTH: Final = 18  # digits; more bytes than this number can say do not exist


class BodyOverLimit(PayloadTooLarge):
    """The body is longer than it may be. `rest` gives what the client still sends; None: nothing more."""

    def __init__(self, max_bytes: int, rest: Receive | None) -> None:
        super().__init__(f"The body is longer than {max_bytes} bytes.")
        self.rest = rest


class BodyLimit:
    """At most `max_bytes` in a request body."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes

    def guard(self, receive: Receive, content_length: bytes | None, *, may_be_chunked: bool) -> Receive:
        """The `receive` to hand on. Raises BodyOverLimit for too great a length, Malformed for no number.

        An announced length is kept by the server, so only a body without one (`may_be_chunked`) is counted as
        it comes, and then BodyOverLimit comes out of `receive`.
        """
        if content_length is not None:
            if not content_length.isdigit():
                raise Malformed("Content-Length is not a number.")
            if len(content_length.lstrip(b"0")) > _LONGEST_LENGTH or int(content_length) > self._max_bytes:
                raise BodyOverLimit(self._max_bytes, receive)
        return self._counted(receive) if may_be_chunked else receive

    def _counted(self, receive: Receive) -> Receive:
        left = self._max_bytes

        async def receive_counted() -> Message:
            nonlocal left
            message = await receive()
            if message["type"] == "http.request":
                left -= len(message.get("body", b""))
                if left < 0:
                    raise BodyOverLimit(self._max_bytes, receive if message.get("more_body") else None)
            return message

        return receive_counted


async def drain(rest: Receive) -> None:
    """Read and drop what a refused client still sends, within bounds.

    A connection that is closed with unread bytes in it is reset, and the reset can overtake the answer.
    """
    left = _LINGER_BYTES
    try:
        async with asyncio.timeout(_LINGER_SECONDS):
            more = True
            while more and left > 0:
                async with asyncio.timeout(_PAUSE_SECONDS):
                    message = await rest()
                left -= len(message.get("body", b""))
                more = message["type"] == "http.request" and message.get("more_body", False)
    except TimeoutError:
        return
