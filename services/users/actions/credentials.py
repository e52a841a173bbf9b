"""Checking a login and a password."""

import msgspec

from app.core.environment import current_environment
from services.users.app import UsersService
from services.users.cards import CARD_FIELDS, UserCard
from services.users.models import User
from services.users.rules import canonical_login, login_problem


class VerifiedUser(msgspec.Struct, frozen=True):
    """An active user whose password was right; sessions opened for him remember the version."""

    card: UserCard
    credentials_version: int


async def verify_credentials(login: str, password: str) -> VerifiedUser | None:
    """The user that may sign in with these; None for all others, whatever the reason, after the same time.

    A hash made with other parameters than today's is made anew. Raises Unavailable when too many sign in.
    """
    env = current_environment()
    passwords = env.service(UsersService).passwords
    with env.system():
        user = await _find(login)
        is_right = await passwords.verify(None if user is None else user.password_hash, password)
        if user is None or not is_right or not user.active:
            return None
        if passwords.is_outdated(user.password_hash):
            unchanged = [("id", "=", user.id), ("password_hash", "=", user.password_hash)]
            await User.update_bulk(unchanged, password_hash=await passwords.hash(password))
    return VerifiedUser(UserCard.of(user), user.credentials_version)


async def _find(login: str) -> User | None:
    canonical = canonical_login(login)
    if login_problem(canonical) is not None:
        return None
    fields = (*CARD_FIELDS, "active", "password_hash", "credentials_version")
    found = await User.search([("login", "=", canonical)], fields, limit=1)
    return found[0] if found else None
