"""The one check that every password passes before it is hashed for the first time."""

from collections.abc import Iterable

from orm.errors import Place, ValidationError
from services.users.rules import LONGEST_PASSWORD, SHORTEST_PASSWORD, has_fitting_length
from services.users.weak_passwords import weakness


def check_password(password: str, *, pointer: str = "/password", own_words: Iterable[str] = ()) -> None:
    """Raise ValidationError, with a place at `pointer`, for a password that nobody may choose.

    `own_words` are what is known of the user, his login and his name: they are no passwords for him.
    """
    sentence: str | None
    if has_fitting_length(password):
        code, sentence = "guessable", weakness(password, own_words)
    else:
        code = "invalid"
        sentence = f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters."
    if sentence is not None:
        raise ValidationError(sentence, errors=(Place(pointer, code, sentence),))
