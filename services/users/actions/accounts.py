"""Making, changing and removing users, on behalf of somebody who has the right to."""

from typing import Any

from msgspec import UNSET, UnsetType

from app.core.environment import current_environment
from orm.access import Operation, grant_for
from orm.errors import Conflict
from services.security.actions import rights_changed
from services.users.app import UsersService
from services.users.models import User
from services.users.rules import check_password
from sql import statements

_SQL = statements("users/users")


async def create_user(*, login: str, password: str, name: str | None = None, is_admin: bool = False) -> User:
    """A new user, every column loaded. Without a name, the login as given stands for it.

    Raises AccessDenied, ValidationError, UniqueViolation for a login that is taken, Unavailable.
    """
    _check_may("create")
    check_password(password)
    return await User.create(
        login=login,
        name=login.strip() if name is None else name,
        is_admin=is_admin,
        password_hash=await _hash(password),
    )


async def update_user(
    user_id: int,
    *,
    login: str | UnsetType = UNSET,
    name: str | UnsetType = UNSET,
    password: str | UnsetType = UNSET,
    is_admin: bool | UnsetType = UNSET,
    active: bool | UnsetType = UNSET,
) -> User:
    """The user with what is given changed, every column loaded.

    A new password or active=False ends all his sessions. Raises RecordNotFound, AccessDenied,
    ValidationError, UniqueViolation, Unavailable, and Conflict when nobody would be left who is an active
    administrator.
    """
    _check_may("update")
    given = {"login": login, "name": name, "is_admin": is_admin, "active": active}
    values: dict[str, Any] = {field: value for field, value in given.items() if value is not UNSET}
    if password is not UNSET:
        check_password(password)
        values["password_hash"] = await _hash(password)
    async with current_environment().db.transaction():
        if is_admin is False or active is False:
            await _keep_an_administrator_besides(user_id)
        user = await User.get(user_id, lock="no key update")
        if values:
            if password is not UNSET or active is False:
                values["credentials_version"] = user.credentials_version + 1
            await user.update(values)
            await rights_changed()
    return user


async def set_password(user_id: int, password: str) -> None:
    """The user has this password, and all his sessions are over. Raises as `update_user` does."""
    await update_user(user_id, password=password)


async def disable_user(user_id: int) -> None:
    """The user cannot sign in any more, and all his sessions are over. Raises as `update_user` does."""
    await update_user(user_id, active=False)


async def delete_user(user_id: int) -> None:
    """The user is gone, his sessions too.

    Raises RecordNotFound, AccessDenied, ForeignKeyViolation while others refer to him (disable him instead),
    and Conflict when nobody would be left who is an active administrator.
    """
    _check_may("delete")
    async with current_environment().db.transaction():
        await _keep_an_administrator_besides(user_id)
        user = await User.get(user_id, ["id"])
        await user.delete()
        await rights_changed()


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


async def _hash(password: str) -> str:
    return await current_environment().service(UsersService).passwords.hash(password)
