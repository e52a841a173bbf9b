"""The one way in which users are made, changed and removed, and their passwords checked.

`accounts` acts for whoever asks in the context (`env.system()` for the program's own work); the rest needs no
rights on users. A change that sessions or cached rights rest on reaches every process within a second: see
services/security/revisions.py.
"""

from services.users.actions.accounts import create_user, delete_user, disable_user, set_password, update_user
from services.users.actions.credentials import VerifiedUser, verify_credentials
from services.users.actions.first_administrator import ensure_first_administrator
from services.users.actions.oneself import (
    PasswordChange,
    apply_password_change,
    own_card,
    prepare_password_change,
    rename_oneself,
)
from services.users.actions.roles import role_ids_of_codes
from services.users.cards import UserCard

__all__ = [
    "PasswordChange",
    "UserCard",
    "VerifiedUser",
    "apply_password_change",
    "create_user",
    "delete_user",
    "disable_user",
    "ensure_first_administrator",
    "own_card",
    "prepare_password_change",
    "rename_oneself",
    "role_ids_of_codes",
    "set_password",
    "update_user",
    "verify_credentials",
]
