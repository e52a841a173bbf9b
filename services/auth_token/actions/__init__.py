"""Opening, refreshing and ending sessions, and what else a user does with them: his password, his keys."""

from services.auth_token.actions.keys import ApiKeyCard, create_api_key, own_api_keys, revoke_api_key
from services.auth_token.actions.opened import SignedIn
from services.auth_token.actions.password import change_password
from services.auth_token.actions.refresh import GRACE_SECONDS, MOST_TOKENS, refresh_session
from services.auth_token.actions.sessions import (
    SessionCard,
    end_all_sessions,
    end_session,
    own_sessions,
    sign_out,
)
from services.auth_token.actions.sign_in import device_cookie, sign_in
from services.auth_token.device import Device

__all__ = [
    "GRACE_SECONDS",
    "MOST_TOKENS",
    "ApiKeyCard",
    "Device",
    "SessionCard",
    "SignedIn",
    "change_password",
    "create_api_key",
    "device_cookie",
    "end_all_sessions",
    "end_session",
    "own_api_keys",
    "own_sessions",
    "refresh_session",
    "revoke_api_key",
    "sign_in",
    "sign_out",
]
