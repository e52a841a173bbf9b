"""A refresh token that is good for one use, or was used a moment ago."""

import datetime

from orm import Binary, Datetime, DotModel, Many2one, Ref
from services.auth_token.models.session import SignInSession


class RefreshToken(DotModel):
    """The hash of a refresh token (SHA-256 is enough for 256 random bits) and when it was first used.

    Used ones are dropped when the session is refreshed later than the grace: a token of a known family that
    is not in this table is one that was used before.
    """

    __table__ = "refresh_tokens"
    __auto_crud__ = False
    __unique__ = (("session_id", "token_hash"),)

    session_id: Ref[SignInSession] = Many2one("sessions", required=True, ondelete="cascade")
    token_hash: bytes = Binary(required=True, private=True)
    created_at: datetime.datetime = Datetime(required=True)
    used_at: datetime.datetime | None = Datetime()
