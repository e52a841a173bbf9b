"""The first administrator: made once, on the first start, by one of the processes that start."""

import logging
import secrets
import sys
from pathlib import Path
from typing import Final

from app.core.environment import current_environment
from app.core.errors import StartError
from app.core.private_files import replace_private_file
from orm.errors import Invalid, UniqueViolation
from services.users.actions.accounts import create_user
from services.users.weak_passwords import weakness
from sql import statements

FILE_NAME: Final = "admin-password"

_SQL = statements("users/users")
_LOCK: Final = 30911209566093659
"""The first eight bytes of sha256("starling first administrator"), as pg_advisory_xact_lock takes them."""

_RANDOM_BYTES: Final = 18  # 24 characters, 144 bits

_logger = logging.getLogger(__name__)


async def ensure_first_administrator(login: str, password: str | None, data_dir: Path) -> None:
    """There is an administrator; when there was none, one with `login` and `password`.

    Without a password a random one is taken, and told to the terminal if standard output is one, else put
    into DATA_DIR/admin-password. Raises StartError.
    """
    env = current_environment()
    with env.system():
        if await env.db.fetchval(_SQL["has_administrator"]):
            return
        is_random = password is None
        chosen = secrets.token_urlsafe(_RANDOM_BYTES) if password is None else password
        file = data_dir / FILE_NAME if is_random and not sys.stdout.isatty() else None
        async with env.db.transaction():
            await env.db.run(_SQL["lock_first_administrator"], [_LOCK])
            if await env.db.fetchval(_SQL["has_administrator"]):
                return  # another process was faster
            login = await _create(login, chosen)
            if file is not None:
                # Before the commit: the other way round, a crash in between would leave a password that
                # nobody knows. The file of a start that failed after this point is replaced by the next one.
                replace_private_file(file, chosen + "\n")
    if file is not None:
        _logger.info("made the first administrator, %s; the password is in %s", login, file)
    elif is_random:
        _show(login, chosen)
    else:
        _logger.info("made the first administrator, %s, with the password of AUTH__ADMIN_PASSWORD", login)
        weak = weakness(chosen, (login,))
        if weak is not None:  # whoever set it may be trying things out on his own machine
            _logger.warning("AUTH__ADMIN_PASSWORD is easily guessed, change it: %s", weak)


async def _create(login: str, password: str) -> str:
    try:
        user = await create_user(login=login, password=password, is_admin=True, may_be_guessable=True)
    except UniqueViolation as error:
        raise StartError(
            f"there is no administrator; AUTH__ADMIN_LOGIN is {login!r}, the login of somebody who is none: "
            "set it to another one"
        ) from error
    except Invalid as error:
        raise StartError(
            f"AUTH__ADMIN_LOGIN or AUTH__ADMIN_PASSWORD cannot be used: {error.detail}"
        ) from error
    return user.login


def _show(login: str, password: str) -> None:
    """Tell the terminal, the log being no place for passwords."""
    sys.stdout.write(f"\nFirst administrator\n  login     {login}\n  password  {password}\n\n")
    sys.stdout.flush()
