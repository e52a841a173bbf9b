"""How a socket is ended by us, and what the client is to make of it."""

import enum


class Comeback(enum.Enum):
    """What a client does after a close. With resume: it subscribes again with the last `seq` that it saw."""

    NO = "Do not come back by yourself: something has to change first."
    AT_ONCE = "Come back at once and resume."
    WITH_JITTER = "Come back after a random part of a few seconds, so that not all come at once, and resume."
    WITH_BACKOFF = "Come back later, and wait longer each time."
    AFTER_SIGN_IN = "Get a new access token (refresh, or sign in), then come back and resume."


class CloseCode(enum.IntEnum):
    """The code, its reason text (at most 123 bytes), and whether the client should come back.

    A client treats 1006, the code for "the connection was lost without a close", like SLOW.
    """

    reason: str
    comeback: Comeback

    def __new__(cls, code: int, reason: str, comeback: Comeback) -> "CloseCode":
        """The table row as a number that knows its row."""
        member = int.__new__(cls, code)
        member._value_ = code
        member.reason = reason
        member.comeback = comeback
        return member

    DONE = 1000, "done", Comeback.NO
    GOING_AWAY = 1001, "going away", Comeback.WITH_JITTER
    TOO_BIG = 1009, "the frame is larger than 1 MiB", Comeback.NO
    INTERNAL = 1011, "something went wrong here", Comeback.WITH_BACKOFF
    RESTART = 1012, "the server restarts", Comeback.WITH_JITTER
    SLOW = 4013, "too slow: what was not sent is waiting, resume with since", Comeback.AT_ONCE
    PROTOCOL = 4400, "that is not the protocol", Comeback.NO
    UNAUTHENTICATED = 4401, "not signed in, expired or revoked", Comeback.AFTER_SIGN_IN
    ORIGIN = 4403, "this origin is not allowed", Comeback.NO
    AUTH_TIMEOUT = 4408, "no token came in time", Comeback.WITH_BACKOFF
    TOO_MANY = 4429, "too many sockets or frames", Comeback.WITH_BACKOFF
