"""What a client of /ws/chat says and makes of what it hears, without a socket. Nothing here waits.

It remembers the seq of the last event of each chat that it has told, which is what `since` is made of, and
the messages that were not acknowledged, which are said again on the next socket.
"""

import secrets
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

Frame = dict[str, Any]

RETRIED: Final = frozenset({429, 500, 503, 504})
"""Statuses of problems that may be over in a moment: what they refused is said again."""


class Notice(msgspec.Struct, frozen=True):
    """Something that the user of the client is told."""


class Live(Notice, frozen=True):
    """Every chat is followed: what is read over HTTP from now on has no gap to what is told here."""

    user_id: int


class Lost(Notice, frozen=True):
    """The connection is lost, with this code; the client comes back by itself."""

    code: int


class Happened(Notice, frozen=True):
    """An event, as the server sent it. Those with a `seq` come once each, in the order of their chat."""

    event: Mapping[str, Any]


class Reset(Notice, frozen=True):
    """Events are missing: read the chat anew; those after `seq` follow."""

    chat_id: int
    seq: int


class Gone(Notice, frozen=True):
    """While we were away the user ceased to be a member, or to be allowed to read."""

    chat_id: int


class Sent(Notice, frozen=True):
    """A message is stored."""

    nonce: str
    message_id: int
    seq: int


class Refused(Notice, frozen=True):
    """What was said under `ref` (of a message: its nonce) was not done."""

    ref: str | int | None
    problem: Mapping[str, Any]


class Conversation:
    """The state of one client over all its sockets. Methods answer the frames that are to be said now."""

    def __init__(self) -> None:
        self.user_id = 0
        self.is_live = False
        self.heartbeat_seconds = 0.0
        self.notices: list[Notice] = []
        """What happened, in order; whoever has told it clears it."""
        self._seqs: dict[int, int] = {}
        self._followed: set[int] = set()
        self._mending: set[int] = set()
        self._unsent: dict[str, Frame] = {}

    @property
    def unsent(self) -> tuple[str, ...]:
        """The nonces of messages that were not acknowledged, in the order in which they were sent."""
        return tuple(self._unsent)

    def send(
        self, chat_id: int, body: str, reply_to_id: int | None = None, nonce: str | None = None
    ) -> Frame:
        """A message, to be said now or whenever there is a socket; its `nonce` stands for it."""
        frame: Frame = {
            "type": "send",
            "chat_id": chat_id,
            "body": body,
            "nonce": nonce or secrets.token_hex(16),
        }
        if reply_to_id is not None:
            frame["reply_to_id"] = reply_to_id
        self._unsent[frame["nonce"]] = frame
        return frame

    def lose(self) -> None:
        """The socket is over."""
        self.is_live = False
        self._followed.clear()
        self._mending.clear()

    def again(self) -> Iterator[Frame]:
        """The messages that were not acknowledged."""
        return iter(tuple(self._unsent.values()))

    def hear(self, frame: Frame) -> list[Frame]:
        """What to say to a frame of the server."""
        kind = frame["type"]
        if kind == "ready":
            return self._ready(frame)
        if kind == "pong":
            self._live()
        elif kind == "subscribed":
            self._followed.add(frame["chat_id"])
            self._mending.discard(frame["chat_id"])
            self._seqs.setdefault(frame["chat_id"], frame["seq"])
        elif kind == "reset":
            self._seqs[frame["chat_id"]] = frame["seq"]
            self.notices.append(Reset(frame["chat_id"], frame["seq"]))
        elif kind == "ack":
            if self._unsent.pop(frame["nonce"], None) is not None:
                self.notices.append(Sent(frame["nonce"], frame["message_id"], frame["seq"]))
        elif kind == "error":
            self._refused(frame)
        else:
            return self._happened(frame)
        return []

    def _ready(self, frame: Frame) -> list[Frame]:
        if self.is_live:
            return []  # the answer to a renewed token
        self.user_id, self.heartbeat_seconds = frame["user_id"], frame["heartbeat_seconds"]
        since = {str(chat_id): seq for chat_id, seq in self._seqs.items()}
        # Frames are answered in turn: the pong says that every chat is followed.
        return [{"type": "subscribe_all", "since": since}, {"type": "ping"}, *self.again()]

    def _live(self) -> None:
        if self.is_live:
            return
        self.is_live = True
        for chat_id in self._seqs.keys() - self._followed:
            del self._seqs[chat_id]
            self.notices.append(Gone(chat_id))
        self.notices.append(Live(self.user_id))

    def _refused(self, frame: Frame) -> None:
        ref, problem = frame.get("ref"), frame["problem"]
        if ref in self._unsent:
            if problem["status"] in RETRIED:
                return
            del self._unsent[ref]
        self.notices.append(Refused(ref, problem))

    def _happened(self, event: Frame) -> list[Frame]:
        seq, chat_id = event.get("seq"), event.get("chat_id")
        if seq is not None and chat_id is not None:
            last = self._seqs.get(chat_id, seq - 1)
            if seq <= last:
                return []  # a double
            if seq > last + 1:
                return self._mend(chat_id, last)
            self._seqs[chat_id] = seq
            if event["type"] == "member_removed" and event["user_id"] == self.user_id:
                del self._seqs[chat_id]
                self._followed.discard(chat_id)
        self.notices.append(Happened(event))
        return []

    def _mend(self, chat_id: int, since: int) -> list[Frame]:
        """There is a gap, which the server promises not to leave: ask for what is missing, once."""
        if chat_id in self._mending:
            return []
        self._mending.add(chat_id)
        return [{"type": "subscribe", "chat_id": chat_id, "since": since}]
