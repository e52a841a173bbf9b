"""The tables of sessions, API keys, and failed sign-ins."""

from services.auth_token.models.api_key import ApiKey
from services.auth_token.models.refresh_token import RefreshToken
from services.auth_token.models.session import SignInSession
from services.auth_token.models.sign_in_bucket import SignInBucket

__all__ = ["ApiKey", "RefreshToken", "SignInBucket", "SignInSession"]
