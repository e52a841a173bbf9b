"""What the routes of signing in read."""

import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from app.http.bodies import Body
from services.auth_token.actions import ApiKeyCard, SessionCard
from services.auth_token.scopes import EVERYTHING

# No more than bounds of the work that a stranger can ask for: what cannot be right is told by the answer 401.
_Text = Annotated[str, Meta(max_length=1024)]

_Scope = Annotated[str, Meta(max_length=100)]


class Credentials(Body):
    """A login and its password."""

    login: _Text
    password: _Text


class RefreshRequest(Body):
    """A refresh token that was not used yet."""

    refresh_token: _Text


class PasswordChangeRequest(Body):
    """The password that is, and the one that is to be: 10 to 128 characters, and not easy to guess."""

    old: _Text
    new: _Text


class Termination(msgspec.Struct):
    """With `keep_current` the session that asks goes on."""

    keep_current: bool = False


class SessionList(msgspec.Struct):
    """One's own sessions."""

    data: list[SessionCard]


class NewApiKey(Body):
    """An API key to be made.

    A scope is `<route>:<operation>`, such as `partners:read`; either may be `*`, and `*` alone is everything
    that its user may do, as no `scopes` at all. Without `expires_at` the key is good until it is removed.
    """

    name: Annotated[str, Meta(min_length=1, max_length=100, pattern=r"\S")]
    scopes: Annotated[list[_Scope], Meta(min_length=1, max_length=100)] = msgspec.field(
        default_factory=lambda: [EVERYTHING]
    )
    expires_at: Annotated[datetime.datetime, Meta(tz=True)] | None = None


class ApiKeyList(msgspec.Struct):
    """One's own API keys."""

    data: list[ApiKeyCard]
