"""The account that postgres runs as.

A user runs postgres as himself. root cannot: PostgreSQL refuses it, and rightly. What was weighed for root:

- `nobody`, or the `postgres` of a packaged server: other services run as these, and could read the data,
  trace the server and connect to it. No.
- A user `starling`, if the machine has one: made on purpose, so it is taken.
- Otherwise a number that no user has, drawn from a range that systemd's table of uids leaves unused, so that
  two installations are strangers to each other as well. postgres runs well as a user without a name. Only
  initdb insists on a name: it runs once, as `nobody` but in the group of that number, inside a folder that
  only this group can enter; another process of `nobody`, being in another group, can neither enter nor trace
  it. What initdb made is then given to the number.

Who owns an existing cluster goes on running it.
"""

import os
import pwd
import secrets
from pathlib import Path
from typing import TypedDict

import msgspec

from app.core.errors import StartError

_DEDICATED_USER = "starling"
_UNUSED_UIDS = range(60_706, 61_184)  # https://systemd.io/UIDS-GIDS/


class RunAs(TypedDict, total=False):
    """Keyword arguments for subprocess."""

    user: int
    group: int
    extra_groups: list[int]


class Account(msgspec.Struct, frozen=True):
    """Who runs a program. `is_self`: no change of user is needed."""

    uid: int
    gid: int
    is_self: bool

    def popen_arguments(self) -> RunAs:
        """What subprocess needs to run a program as this account, in no other group."""
        return {} if self.is_self else {"user": self.uid, "group": self.gid, "extra_groups": []}

    def for_initdb(self) -> "Account":
        """This account, with a uid that has a name. Raises StartError when there is none to be had."""
        if user_name(self.uid) is not None:
            return self
        if self.is_self:
            raise StartError(
                f"PostgreSQL's initdb needs a name for user {self.uid}, and /etc/passwd has none: add one, "
                "or set DATABASE__URL to a PostgreSQL server"
            )
        try:
            nobody = pwd.getpwnam("nobody").pw_uid
        except KeyError:
            raise StartError(
                "PostgreSQL does not run as root, and this machine has no user `starling` and no `nobody`: "
                "add one, or set DATABASE__URL to a PostgreSQL server"
            ) from None
        return Account(nobody, self.gid, is_self=False)


def user_name(uid: int) -> str | None:
    """The name of a user; None when it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return None


def choose_account(cluster: Path) -> Account:
    """The account for the cluster in that folder, which may not exist yet. Raises StartError when it is
    somebody else's.
    """
    me = os.geteuid()
    myself = Account(me, os.getegid(), is_self=True)
    if not os.path.lexists(cluster):
        return _account_for_root() if me == 0 else myself
    found = cluster.lstat()
    if me != 0 and found.st_uid == me:
        return myself
    if me != 0 or user_name(found.st_uid) not in (None, _DEDICATED_USER):
        raise _foreign(cluster, found.st_uid)
    return Account(found.st_uid, found.st_gid, is_self=False)


def unreachable_part(path: Path, account: Account) -> Path | None:
    """The first folder on the way to `path` that stops `account` from getting there; None if none does.

    What does not exist yet stops nobody: it will be ours to make. The kernel is asked, in a child that became
    that account, so that access control lists count as well.
    """
    if account.is_self:
        return None
    folders = [folder for folder in reversed(path.parents) if folder.exists()]
    child = os.fork()
    if child == 0:
        status = len(folders)
        try:
            os.setgroups([])
            os.setgid(account.gid)
            os.setuid(account.uid)
            status = next((at for at, folder in enumerate(folders) if not os.access(folder, os.X_OK)), 255)
        finally:
            os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status == len(folders):
        raise StartError(
            f"PostgreSQL does not run as root, and this system does not allow to become user {account.uid}: "
            "start Starling as an ordinary user, or set DATABASE__URL to a PostgreSQL server"
        )
    return None if status == 255 else folders[status]


def _account_for_root() -> Account:
    try:
        dedicated = pwd.getpwnam(_DEDICATED_USER)
    except KeyError:
        free = [uid for uid in _UNUSED_UIDS if user_name(uid) is None]
        if not free:
            raise StartError(
                "PostgreSQL does not run as root, and no free user number was found: add a user `starling`, "
                "or set DATABASE__URL to a PostgreSQL server"
            ) from None
        number = secrets.choice(free)
        return Account(number, number, is_self=False)
    return Account(dedicated.pw_uid, dedicated.pw_gid, is_self=False)


def _foreign(cluster: Path, owner: int) -> StartError:
    if owner == 0:
        return StartError(
            f"the database in {cluster} belongs to root, which PostgreSQL does not run as: give it back to "
            "the user that it was made by (chown -R), or set DATA_DIR to another folder"
        )
    return StartError(
        f"the database in {cluster} belongs to user {user_name(owner) or owner}: "
        "start Starling as that user, or set DATA_DIR to another folder"
    )
