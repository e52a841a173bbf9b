"""Opening sessions."""

import uuid

from app.core.environment import current_environment
from app.core.errors import Unauthenticated
from orm.errors import ForeignKeyViolation, Problem
from services.auth_token.actions.opened import SignedIn, signed_in
from services.auth_token.app import AuthTokenService
from services.auth_token.device import Device
from services.auth_token.refresh_tokens import new_refresh_secret
from services.auth_token.settings import AuthSettings
from services.users import actions as users
from services.users.actions import VerifiedUser
from services.users.rules import canonical_login
from sql import statements

_SQL = statements("auth_token/sessions")


async def sign_in(login: str, password: str, device: Device) -> SignedIn:
    """A new session of the user with that login and password.

    Raises Unauthenticated in the same words and after the same time for an unknown login, a wrong password
    and a user who is disabled; TooManyRequests when that happened too often, whoever it was; Unavailable when
    too many sign in at once. Each of them is counted.
    """
    service = current_environment().service(AuthTokenService)
    try:
        return await _sign_in(service, login, password, device)
    except Problem as refusal:
        service.failures.add(reason=refusal.code)
        raise


async def _sign_in(service: AuthTokenService, login: str, password: str, device: Device) -> SignedIn:
    canonical = canonical_login(login)
    known = service.device_cookies.known(device.cookie, canonical)
    async with service.limits.signing_in(canonical, device, known) as attempt:
        verified = await users.verify_credentials(login, password)
        attempt.is_right = verified is not None
    if verified is None:
        raise _not_signed_in()
    return await _open(verified, device)


def device_cookie(login: str, device: Device) -> str:
    """The cookie that a device keeps on which this login has just signed in."""
    cookies = current_environment().service(AuthTokenService).device_cookies
    return cookies.with_login(device.cookie, canonical_login(login))


async def _open(verified: VerifiedUser, device: Device) -> SignedIn:
    env = current_environment()
    refresh = new_refresh_secret(uuid.uuid4())
    # Should the credentials have changed since they were verified, the session is over as soon as it is open.
    values = [
        verified.card.id,
        verified.credentials_version,
        refresh.family,
        device.stored_address,
        device.stored_user_agent,
        env.settings.section(AuthSettings).refresh_ttl_seconds,
        refresh.digest,
    ]
    try:
        ((session_id, expires_at),) = await env.db.run(_SQL["open"], values)
    except ForeignKeyViolation:  # the user was removed meanwhile
        raise _not_signed_in() from None
    return signed_in(env, session_id, expires_at, refresh.text(), verified.card)


def _not_signed_in() -> Unauthenticated:
    return Unauthenticated("The login or the password is wrong.")
