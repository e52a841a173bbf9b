"""Changing one's own password."""

from app.core.access import AccessSession
from app.core.environment import current_environment
from services.auth_token.app import AuthTokenService
from services.security.actions import rights_changed
from services.users import actions as users
from services.users.chosen_passwords import check_password
from sql import statements

_SQL = statements("auth_token/sessions")


async def change_password(asker: AccessSession, old: str, new: str) -> None:
    """The asker has a new password, and no session but the one that asks.

    Raises ValidationError, with pointer /old or /new, TooManyRequests when the old one was wrong too often,
    Conflict, Unavailable.
    """
    env = current_environment()
    check_password(new, pointer="/new", own_words=(asker.login, asker.name))
    async with env.service(AuthTokenService).limits.telling_password(asker.user_id) as attempt:
        change = await users.prepare_password_change(asker.user_id, old, new)
        attempt.is_right = True
    async with env.db.transaction():
        version = await users.apply_password_change(change)
        if asker.session_id is not None:
            await env.db.run(_SQL["carry_over"], [asker.session_id, version])
        await rights_changed()
