"""One sign-in on one device."""

import datetime
import uuid

from orm import Char, Datetime, DotModel, Integer, Many2one, Ref, Uuid
from services.users.models import User


class SignInSession(DotModel):
    """A session in the table `sessions`; its id is the `sid` of access tokens, its family is in refresh
    tokens.

    It is over when it is revoked, expired, idle for too long, or when its user is not active or has other
    credentials than when it was opened (`credentials_version`, see User). Times are those of the database.
    `last_seen_at` moves when the session is refreshed, so it is right to within the life of an access token.
    """

    __table__ = "sessions"
    __auto_crud__ = False

    user_id: Ref[User] = Many2one("users", required=True, ondelete="cascade")
    credentials_version: int = Integer(required=True)
    family: uuid.UUID = Uuid(required=True, unique=True, private=True)
    address: str | None = Char(max_length=64)
    user_agent: str | None = Char(max_length=255)
    created_at: datetime.datetime = Datetime(required=True)
    last_seen_at: datetime.datetime = Datetime(required=True)
    expires_at: datetime.datetime = Datetime(required=True)
    revoked_at: datetime.datetime | None = Datetime()
