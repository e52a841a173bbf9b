"""What travels between processes and to sockets: envelopes, heads, and the frames that all receivers
share.
"""

from collections.abc import Sequence

import msgspec

from app.realtime.direct import text_frame


class Envelope(msgspec.Struct, frozen=True):
    """One event on its way to everyone who listens, encoded once where it was made.

    `frame` is the finished JSON text (UTF-8) as the client gets it. With a `seq` the event is durable: it is
    in the log of its topic under that number, numbers of a topic have no gaps, and it arrives in order.
    Without one it is ephemeral: told at once to whoever listens now, and forgotten.

    `ends`: users whose subscriptions to the topic end right after they got this event. `joins`: users to whom
    this event goes on every socket of theirs; those of them who follow everything are subscribed to the topic
    from here on. `to_users`: an ephemeral event for every socket of these users, whatever they listen to; it
    has no topic.
    """

    topic: str
    seq: int | None
    frame: bytes
    ends: tuple[int, ...] = ()
    joins: tuple[int, ...] = ()
    to_users: tuple[int, ...] = ()

    @property
    def durable_seq(self) -> int:
        """The `seq` of a durable event. Raises ValueError for an ephemeral one."""
        if self.seq is None:
            raise ValueError(f"an event of {self.topic!r} has no seq, and a place in the stream is asked for")
        return self.seq


class Head(msgspec.Struct, frozen=True):
    """Word that the log of a topic reaches at least `seq`, without the event itself: read it in the log.

    `joins` are those of the event `seq`, so that a process where nobody listens to the topic knows whether to
    read.
    """

    topic: str
    seq: int
    joins: tuple[int, ...] = ()


Message = Envelope | Head


class Frame:
    """One text for a socket, shared by all that receive it: `data` as JSON in UTF-8, `wire` as the bytes of
    its WebSocket frame.
    """

    __slots__ = ("_text", "data", "wire")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.wire = text_frame(data)
        self._text: str | None = None

    def __len__(self) -> int:
        """Size in bytes, as it counts against the bound of a queue."""
        return len(self.data)

    @property
    def text(self) -> str:
        """The same as `str`, which is what ASGI wants; made when it is first asked for."""
        if self._text is None:
            self._text = self.data.decode()
        return self._text


class Run:
    """Several texts for a socket, one after the other; `wire` is the bytes of all their frames."""

    __slots__ = ("frames", "wire")

    def __init__(self, frames: Sequence[Frame]) -> None:
        self.frames = frames
        self.wire = b"".join(frame.wire for frame in frames)
