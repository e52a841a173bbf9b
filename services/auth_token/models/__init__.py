"""The tables of sessions."""

from services.auth_token.models.refresh_token import RefreshToken
from services.auth_token.models.session import SignInSession

__all__ = ["RefreshToken", "SignInSession"]
