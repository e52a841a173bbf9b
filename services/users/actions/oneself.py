"""What users do with their own account; nobody needs a right on users for it."""

import msgspec

from app.core.environment import current_environment
from app.core.errors import Unauthenticated
from orm.errors import Conflict, Place, ValidationError
from services.audit.actions import record
from services.users.actions.accounts import update_user
from services.users.app import UsersService
from services.users.cards import CARD_FIELDS, UserCard
from services.users.models import User
from sql import statements

_SQL = statements("users/users")


class PasswordChange(msgspec.Struct, frozen=True):
    """A change of password that was checked and only has to be written."""

    user_id: int
    old_hash: str
    new_hash: str


async def own_card(user_id: int) -> UserCard:
    """What the user is shown of himself. Raises Unauthenticated when he is gone."""
    with current_environment().system():
        user = await User.get_or_none(user_id, CARD_FIELDS)
    if user is None:
        raise Unauthenticated("This user does not exist any more.")
    return UserCard.of(user)


async def rename_oneself(user_id: int, name: str) -> UserCard:
    """The card of the user, who has that name now. Raises ValidationError, RecordNotFound."""
    with current_environment().system():
        return UserCard.of(await update_user(user_id, name=name))


async def prepare_password_change(user_id: int, old: str, new: str) -> PasswordChange:
    """The change of a user's own password from `old` to `new`, to be written by `apply_password_change`.

    In two steps, so that nothing is hashed while a transaction is open. The caller has checked the new one
    (see chosen_passwords.py). Raises ValidationError, with pointer /old, and Unavailable.
    """
    env = current_environment()
    passwords = env.service(UsersService).passwords
    with env.system():
        user = await User.get_or_none(user_id, ["id", "password_hash"])
    if user is None or not await passwords.verify(user.password_hash, old):
        sentence = "This is not your password."
        raise ValidationError(sentence, errors=(Place("/old", "invalid", sentence),))
    return PasswordChange(user_id, user.password_hash, await passwords.hash(new))


async def apply_password_change(change: PasswordChange) -> int:
    """The version of the user's credentials from now on; sessions with another one are over.

    The caller has opened a transaction, does in it what the session that asks needs to stay, and calls
    `rights_changed`. Raises Conflict when the password was changed in between.
    """
    db = current_environment().db
    await db.announce()
    rows = await db.run(_SQL["replace_password"], [change.user_id, change.old_hash, change.new_hash])
    if not rows:
        raise Conflict("The password was changed by somebody else at the same time.")
    await record("password_changed", model="users", record_id=change.user_id)
    version: int = rows[0][0]
    return version
