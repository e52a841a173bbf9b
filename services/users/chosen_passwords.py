"""The checks that a password passes before it is hashed for the first time."""

from collections.abc import Iterable

from orm.errors import Place, ValidationError
from services.users.rules import LONGEST_PASSWORD, SHORTEST_PASSWORD, has_fitting_length
from services.users.weak_passwords import weakness


def check_password(password: str, *, pointer: str = "/password", own_words: Iterable[str] = ()) -> None:
    """Raise ValidationError, with a place at `pointer`, for a password that nobody may choose.

    `own_words` are what is known of the user, his login and his name: they are no passwords for him.
    """
    check_length(password, pointer=pointer)
    sentence = weakness(password, own_words)
    if sentence is not None:
        raise ValidationError(sentence, errors=(Place(pointer, "guessable", sentence),))


def check_length(password: str, *, pointer: str = "/password") -> None:
    """Raise ValidationError, with a place at `pointer`, for a password that is too short or too long."""
    if not has_fitting_length(password):
        sentence = f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters."
        raise ValidationError(sentence, errors=(Place(pointer, "invalid", sentence),))
