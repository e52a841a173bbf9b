"""What a user is shown of himself."""

from typing import Final, Self

import msgspec

from services.users.models import User


class UserCard(msgspec.Struct, frozen=True):
    """The user who is signed in, as in the answers of /signin and /me."""

    id: int
    login: str
    name: str
    is_admin: bool

    @classmethod
    def of(cls, user: User) -> Self:
        """The card of a user of whom at least CARD_FIELDS are loaded."""
        return cls(user.id, user.login, user.name, user.is_admin)


CARD_FIELDS: Final = UserCard.__struct_fields__
