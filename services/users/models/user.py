"""Somebody who can sign in."""

import datetime

from orm import Boolean, Char, Datetime, DotModel, Integer, utc_now
from services.users.models.login import Login


class User(DotModel):
    """A user. `is_admin` may do everything; one who is not `active` cannot sign in, and is signed out.

    Rows are read through the API made from this model and written through `users/actions.py` only, because a
    change has to reach sessions and must leave an administrator.

    `credentials_version` grows when whatever was signed in so far must be signed out (a new password, a
    disabled user): a session remembers the version that it was opened with, and is over when it differs. So
    this module ends sessions without knowing what a session is.
    """

    __table__ = "users"
    __auto_crud__ = "read"

    login: str = Login(required=True, unique=True, description="Case and blanks around it do not matter")
    name: str = Char(max_length=200, required=True, pattern=r"\S", description="As others see the user")
    password_hash: str = Char(max_length=255, required=True, private=True)
    is_admin: bool = Boolean(default=False, required=True, description="May do everything")
    active: bool = Boolean(default=True, required=True, description="May sign in")
    credentials_version: int = Integer(default=0, required=True, private=True)
    created_at: datetime.datetime = Datetime(default=utc_now, required=True, readonly=True)
