"""A key with which a program acts for a user."""

import datetime

from orm import Binary, Char, Datetime, DotModel, JSONField, Many2one, Ref
from services.users.models import User


class ApiKey(DotModel):
    """An API key: its `prefix`, by which one knows it again, and the hash of its secret (SHA-256 is enough
    for 256 random bits).

    It may do what its user may, narrowed to `scopes` (see app.core.access.scope_allows), until it expires or
    is revoked, and while its user is active. A new password does not end it. `last_used_at` is right to about
    a minute.
    """

    __table__ = "api_keys"
    __auto_crud__ = False

    user_id: Ref[User] = Many2one("users", required=True, ondelete="cascade")
    name: str = Char(max_length=100, required=True, pattern=r"\S")
    prefix: str = Char(max_length=16, required=True, unique=True)
    secret_hash: bytes = Binary(required=True, private=True)
    scopes: list[str] = JSONField(required=True)
    created_at: datetime.datetime = Datetime(required=True)
    expires_at: datetime.datetime | None = Datetime()
    last_used_at: datetime.datetime | None = Datetime()
    revoked_at: datetime.datetime | None = Datetime()
