"""What a login and a password may be. Pure.

A login is kept in one canonical form: compatibility characters composed (NFKC), case folded, trimmed. " Ada "
and "ADA" are the login "ada"; so what is shown is what is compared, and one UNIQUE constraint on the column
is the whole of the rule. How a user writes himself is what `name` is for.

A password is not trimmed and has no rules of composition; it is composed (NFKC), because keyboards and
systems write the same letter differently (NIST SP 800-63B, section 5.1.1.2). What is too easy to guess is
told by weak_passwords.py.
"""

import unicodedata
from typing import Final

LONGEST_LOGIN: Final = 100

SHORTEST_PASSWORD: Final = 10
LONGEST_PASSWORD: Final = 128


def canonical_login(text: str) -> str:
    """The form in which a login is stored and compared."""
    # Folding may undo the composition, as it does with the Greek iota subscript; hence once more.
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).strip()


def login_problem(login: str) -> str | None:
    """What is wrong with a canonical login, or None. The sentence goes on after "login"."""
    if not login:
        return "is empty"
    if len(login) > LONGEST_LOGIN:
        return f"is longer than {LONGEST_LOGIN} characters"
    if not login.isprintable():
        return "contains characters that cannot be seen"
    return None


def composed_password(text: str) -> str:
    """The form of a password that is hashed."""
    return unicodedata.normalize("NFKC", text)


def folded_password(text: str) -> str:
    """The form in which passwords are compared with what nobody should choose."""
    return composed_password(composed_password(text).casefold())


def has_fitting_length(password: str) -> bool:
    """Whether a password is neither too short nor too long, in characters of its composed form."""
    return SHORTEST_PASSWORD <= len(composed_password(password)) <= LONGEST_PASSWORD
