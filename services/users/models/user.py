"""Somebody who can sign in."""

import datetime
from typing import Final

from app.core.access_presets import ADMINISTRATORS
from orm import Boolean, Char, Datetime, DotModel, Integer, Many2many, utc_now
from services.security.models import Role
from services.users.models.login import Login

USER_ROLES: Final = "user_roles"
"""The link table of the roles that users were given, those that they are based on not included."""


class User(DotModel):
    """A user. `is_admin` may do everything; one who is not `active` cannot sign in, and is signed out.

    Rows are read through the API made from this model and written through `users/actions` only, because a
    change has to reach sessions and must leave an administrator. Whoever may read users reads their id, login
    and name; the rest is for administrators, and so is giving rights and passwords.

    `credentials_version` grows when whatever was signed in so far must be signed out (a new password, a
    disabled user): a session remembers the version that it was opened with, and is over when it differs. So
    this module ends sessions without knowing what a session is.
    """

    __table__ = "users"
    __auto_crud__ = "read"
    __audit__ = True

    login: str = Login(required=True, unique=True, description="Case and blanks around it do not matter")
    name: str = Char(max_length=200, required=True, pattern=r"\S", description="As others see the user")
    password_hash: str = Char(
        max_length=255, required=True, private=True, role_create=ADMINISTRATORS, role_update=ADMINISTRATORS
    )
    is_admin: bool = Boolean(
        default=False,
        required=True,
        description="May do everything",
        role_read=ADMINISTRATORS,
        role_create=ADMINISTRATORS,
        role_update=ADMINISTRATORS,
    )
    active: bool = Boolean(
        default=True,
        required=True,
        description="May sign in",
        role_read=ADMINISTRATORS,
        role_create=ADMINISTRATORS,
        role_update=ADMINISTRATORS,
    )
    role_ids: list[Role] = Many2many(
        "roles",
        table=USER_ROLES,
        column1="user_id",
        column2="role_id",
        description="The roles that the user was given himself",
        role_read=ADMINISTRATORS,
        role_create=ADMINISTRATORS,
        role_update=ADMINISTRATORS,
    )
    credentials_version: int = Integer(
        default=0, required=True, private=True, role_create=ADMINISTRATORS, role_update=ADMINISTRATORS
    )
    created_at: datetime.datetime = Datetime(
        default=utc_now, required=True, readonly=True, role_read=ADMINISTRATORS
    )
