"""What the routes of users read."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from app.http.bodies import Body
from services.users.rules import LONGEST_PASSWORD, SHORTEST_PASSWORD

Password = Annotated[str, Meta(min_length=SHORTEST_PASSWORD, max_length=LONGEST_PASSWORD)]

RoleIds = Annotated[list[Annotated[int, Meta(ge=1, le=2**63 - 1)]], Meta(max_length=1000)]


class NewUser(Body):
    """A user to be made. Without a name, the login stands for it. The role `base_user` comes by itself."""

    login: str
    password: Password
    name: str | None = None
    is_admin: bool = False
    role_ids: RoleIds = msgspec.field(default_factory=list)


class UserChanges(Body):
    """What is to be changed of a user; what is not named stays."""

    login: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    password: Password | UnsetType = UNSET
    is_admin: bool | UnsetType = UNSET
    active: bool | UnsetType = UNSET
    role_ids: RoleIds | UnsetType = UNSET


class OwnChanges(Body):
    """What anybody may change of himself."""

    name: str
