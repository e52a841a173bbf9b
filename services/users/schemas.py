"""What the routes of users read."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from app.http.bodies import Body
from services.users.rules import LONGEST_PASSWORD, SHORTEST_PASSWORD

Password = Annotated[str, Meta(min_length=SHORTEST_PASSWORD, max_length=LONGEST_PASSWORD)]


class NewUser(Body):
    """A user to be made. Without a name, the login stands for it."""

    login: str
    password: Password
    name: str | None = None
    is_admin: bool = False


class UserChanges(Body):
    """What is to be changed of a user; what is not named stays."""

    login: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    password: Password | UnsetType = UNSET
    is_admin: bool | UnsetType = UNSET
    active: bool | UnsetType = UNSET


class OwnChanges(Body):
    """What anybody may change of himself."""

    name: str
