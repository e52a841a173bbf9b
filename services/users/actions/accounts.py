"""Making, changing and removing users, on behalf of somebody who has the right to."""

import contextlib
from collections.abc import Sequence
from typing import Any

from msgspec import UNSET, UnsetType

from app.core.access import access_session_or_none
from app.core.environment import current_environment
from orm.access import Operation, grant_for
from orm.errors import AccessDenied, Conflict, StaleRow
from services.audit.actions import record
from services.security.actions import rights_changed
from services.security.models import Role
from services.users.actions.roles import checked_role_ids, first_role_ids
from services.users.app import UsersService
from services.users.chosen_passwords import check_length, check_password
from services.users.models import User
from sql import statements

_SQL = statements("users/users")


async def create_user(
    *,
    login: str,
    password: str,
    name: str | None = None,
    is_admin: bool = False,
    role_ids: Sequence[int] = (),
    may_be_guessable: bool = False,
) -> User:
    """A new user with the given roles and `base_user`, all that the asker may read of him loaded.

    Without a name, the login as given stands for it. Of the password only the length is looked at where it
    `may_be_guessable`. Raises AccessDenied, ValidationError, UniqueViolation
    for a login that is taken, Unavailable.
    """
    _check_may("create")
    _check_no_key()
    name = login.strip() if name is None else name
    if may_be_guessable:
        check_length(password)
    else:
        check_password(password, own_words=(login, name))
    given = {"login": login, "name": name, "is_admin": is_admin, "password_hash": await _hash(password)}
    async with current_environment().db.transaction():
        roles = await checked_role_ids(role_ids) | await first_role_ids()
        user = await User.create(given | {"role_ids": {"link": sorted(roles)}})
        return await _shown(user.id)


async def update_user(
    user_id: int,
    *,
    login: str | UnsetType = UNSET,
    name: str | UnsetType = UNSET,
    password: str | UnsetType = UNSET,
    is_admin: bool | UnsetType = UNSET,
    active: bool | UnsetType = UNSET,
    role_ids: Sequence[int] | UnsetType = UNSET,
    versions: Sequence[str] | None = None,
) -> User:
    """The user with what is given changed, all that the asker may read of him loaded.

    A new password or active=False ends all his sessions. `role_ids` are his roles from now on. `versions` are
    those that his row may have. Raises RecordNotFound, AccessDenied, ValidationError, UniqueViolation,
    Unavailable, StaleRow, and Conflict when nobody would be left who is an active administrator.
    """
    _check_may("update")
    given = {"login": login, "name": name, "is_admin": is_admin, "active": active}
    values: dict[str, Any] = {field: value for field, value in given.items() if value is not UNSET}
    if is_admin is not UNSET or password is not UNSET:
        _check_no_key()
    if password is not UNSET:
        values["password_hash"] = await _checked_and_hashed(user_id, password, values)
    async with current_environment().db.transaction():
        if is_admin is False or active is False:
            await _keep_an_administrator_besides(user_id)
        await _check_version(user_id, versions)
        if role_ids is not UNSET:
            values["role_ids"] = {"set": sorted(await checked_role_ids(role_ids))}
        if values:
            await _write(user_id, values, ends_sessions=password is not UNSET or active is False)
        return await _shown(user_id)


async def set_password(user_id: int, password: str) -> None:
    """The user has this password, and all his sessions are over. Raises as `update_user` does."""
    await update_user(user_id, password=password)


async def disable_user(user_id: int) -> None:
    """The user cannot sign in any more, and all his sessions are over. Raises as `update_user` does."""
    await update_user(user_id, active=False)


async def delete_user(user_id: int, *, versions: Sequence[str] | None = None) -> None:
    """The user is gone, his sessions and API keys too. `versions` are those that his row may have.

    Raises RecordNotFound, AccessDenied, ForeignKeyViolation while others refer to him (disable him instead),
    StaleRow, and Conflict when nobody would be left who is an active administrator.
    """
    _check_may("delete")
    async with current_environment().db.transaction():
        await _keep_an_administrator_besides(user_id)
        await _check_version(user_id, versions)
        user = await User.get(user_id, ["id"])
        await user.delete()
        await rights_changed()


async def _check_version(user_id: int, versions: Sequence[str] | None) -> None:
    """Raise StaleRow when the user's row has none of `versions`; it is locked from then on."""
    if versions is None:
        return
    for (version,) in await current_environment().db.run(_SQL["lock_version"], [user_id]):
        if version not in versions:
            raise StaleRow(f"User {user_id} was changed since that version was read.")


async def _write(user_id: int, values: dict[str, Any], *, ends_sessions: bool) -> None:
    user = await User.get(user_id, ["id"], lock="no key update")
    if ends_sessions:
        ((version,),) = await current_environment().db.run(_SQL["credentials_version"], [user_id])
        values["credentials_version"] = version + 1
    await user.update(values)
    if "password_hash" in values:
        await record("password_changed", model="users", record_id=user_id)
    if ends_sessions:
        await record("sessions_ended", model="users", record_id=user_id)
    await rights_changed()


async def _shown(user_id: int) -> User:
    """The user as the asker may read him, with his roles unless the asker may not read roles."""
    env = current_environment()
    meta = env.registry.of(User)
    hidden = grant_for(env.policy, meta, "read").hidden | meta.private
    names = [*meta.columns]
    with contextlib.suppress(AccessDenied):
        grant_for(env.policy, env.registry.of(Role), "read")
        names.append("role_ids")
    return await User.get(user_id, [name for name in names if name not in hidden])


async def _checked_and_hashed(user_id: int, password: str, changes: dict[str, Any]) -> str:
    """The hash of a new password, which is no word of the user's as he will be."""
    user = await User.get(user_id, ["login", "name"])
    words = (changes.get("login", user.login), changes.get("name", user.name))
    check_password(password, own_words=words)
    return await _hash(password)


async def _keep_an_administrator_besides(user_id: int) -> None:
    """Raise Conflict when there is no active administrator but this user.

    The rows of all of them are locked, so that two of them cannot demote each other at the same time.
    """
    rows = await current_environment().db.run(_SQL["lock_administrators"])
    if [row[0] for row in rows] == [user_id]:
        raise Conflict("This is the last active administrator: make somebody else one first.")


def _check_may(operation: Operation) -> None:
    """Raise AccessDenied now: the verbs would do so, too, but only when a password was hashed in vain."""
    env = current_environment()
    grant_for(env.policy, env.registry.of(User), operation)


def _check_no_key() -> None:
    """Raise AccessDenied when an API key asks: with a password or an administrator of its own making it would
    have more rights than its scopes."""
    session = access_session_or_none()
    if session is not None and session.key_id is not None:
        raise AccessDenied(
            "An API key sets no passwords and makes nobody an administrator: sign in for that."
        )


async def _hash(password: str) -> str:
    return await current_environment().service(UsersService).passwords.hash(password)
