"""What the routes of signing in read."""

from typing import Annotated

import msgspec
from msgspec import Meta

from app.http.bodies import Body
from services.auth_token.actions import SessionCard

# No more than bounds of the work that a stranger can ask for: what cannot be right is told by the answer 401.
_Text = Annotated[str, Meta(max_length=1024)]


class Credentials(Body):
    """A login and its password."""

    login: _Text
    password: _Text


class RefreshRequest(Body):
    """A refresh token that was not used yet."""

    refresh_token: _Text


class PasswordChangeRequest(Body):
    """The password that is, and the one that is to be: 10 to 128 characters."""

    old: _Text
    new: _Text


class Termination(msgspec.Struct):
    """Query parameters of terminate_all."""

    keep_current: bool = False


class SessionList(msgspec.Struct):
    """One's own sessions."""

    data: list[SessionCard]
