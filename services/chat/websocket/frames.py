"""What a client may say on a socket, and what it is answered. Events are in services/chat/events.py."""

import json as json_of_python
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from app.core.errors import Malformed
from app.http import json
from app.http.bodies import BodyDecoder
from app.http.problems import ProblemObject, problem_object
from orm import Invalid
from services.chat.schemas import Id, Nonce, Seq

Reference = str | int
"""What a client gives a frame so that it knows which one an error is about."""


class ClientFrame(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, tag_field="type"):
    """Base of what a client says; `type` is the tag."""

    ref: Reference | None = None


class Auth(ClientFrame, tag="auth"):
    """The access token: the first frame, and again before it expires."""

    token: str


class Ping(ClientFrame, tag="ping"):
    """Is anybody there?"""


class Subscribe(ClientFrame, tag="subscribe"):
    """Listen to a chat; with `since`, the seq of the last event that the client has, to what it missed."""

    chat_id: Id
    since: Seq | None = None


class SubscribeAll(ClientFrame, tag="subscribe_all"):
    """Listen to every chat of the user, and to those that he joins later; `since` by chat."""

    since: dict[Id, Seq] = {}


class Unsubscribe(ClientFrame, tag="unsubscribe"):
    """Listen to a chat no longer."""

    chat_id: Id


class Send(ClientFrame, tag="send"):
    """Post a message."""

    chat_id: Id
    body: str
    nonce: Nonce
    reply_to_id: Id | None = None


class NowTyping(ClientFrame, tag="typing"):
    """The user is typing."""

    chat_id: Id


class Read(ClientFrame, tag="read"):
    """Everything up to a message was read."""

    chat_id: Id
    message_id: Id


AnyFrame = Auth | Ping | Subscribe | SubscribeAll | Unsubscribe | Send | NowTyping | Read

_decoder: Final = BodyDecoder[AnyFrame](AnyFrame)  # type: ignore[arg-type]  # a union is a type to msgspec


def decode(text: str) -> AnyFrame:
    """What a client says. Raises Malformed for what is no JSON, Invalid for what is no frame of ours."""
    try:
        raw = text.encode()
    except UnicodeEncodeError as error:
        raise Malformed("A frame is JSON in UTF-8.") from error
    try:
        return _decoder.decode(raw)
    except Malformed as malformed:
        if _is_json(text):  # what browsers write when somebody takes away half of an emoji
            raise Invalid(
                "A text has half of a character in it, a surrogate without the other."
            ) from malformed
        raise


def _is_json(text: str) -> bool:
    """Whether it is JSON to who knows no Unicode."""
    try:
        json_of_python.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return False
    return True


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def reference_of(frame: AnyFrame) -> Reference | None:
    """What an error about this frame repeats."""
    return frame.ref if frame.ref is not None or not isinstance(frame, Send) else frame.nonce


def reference_in(text: str) -> Reference | None:
    """The same for a JSON text that is no frame of ours, as far as it can be told."""
    found = json_of_python.loads(text)
    if not isinstance(found, dict):
        return None
    reference = found.get("ref", found.get("nonce"))
    is_one = isinstance(reference, str | int) and not isinstance(reference, bool)
    return reference if is_one else None


class _ServerFrame(msgspec.Struct, tag_field="type"):
    pass


class _Ready(_ServerFrame, tag="ready"):
    user_id: int
    heartbeat_seconds: float
    worker: str


class _Pong(_ServerFrame, tag="pong"):
    pass


class _Subscribed(_ServerFrame, tag="subscribed"):
    chat_id: int
    seq: int
    presence: tuple[int, ...]


class _Reset(_ServerFrame, tag="reset"):
    chat_id: int
    seq: int


class _Ack(_ServerFrame, tag="ack"):
    nonce: str
    message_id: int
    seq: int


class _Error(_ServerFrame, tag="error"):
    problem: ProblemObject
    ref: Reference | UnsetType = UNSET


PONG: Final = json.encode(_Pong())


def ready(user_id: int, *, heartbeat_seconds: float, worker: str) -> bytes:
    """The socket is signed in. A client that hears nothing for longer than the heartbeat pings."""
    return json.encode(_Ready(user_id, heartbeat_seconds, worker))


def subscribed(chat_id: int, seq: int, presence: tuple[int, ...]) -> bytes:
    """What follows are the events after `since`, then live ones; `seq` is the latest now.

    `presence` are the members who are online, the user himself among them.
    """
    return json.encode(_Subscribed(chat_id, seq, presence))


def reset(chat_id: int, seq: int) -> bytes:
    """Not all that was missed is kept: read the chat anew; what follows are the events after `seq`."""
    return json.encode(_Reset(chat_id, seq))


def ack(nonce: str, message_id: int, seq: int) -> bytes:
    """The message is stored."""
    return json.encode(_Ack(nonce, message_id, seq))


def error(problem: Exception, *, instance: str | None, ref: Reference | None) -> bytes:
    """Something was wrong; the same object as over HTTP."""
    shown: Any = UNSET if ref is None else ref
    return json.encode(_Error(problem_object(problem, instance), shown))
