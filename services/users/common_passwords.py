"""Passwords that many people have chosen, and so are tried first."""

from functools import cache
from importlib.resources import files

from services.users.rules import folded_password


def is_common(password: str) -> bool:
    """Whether a password is on the list, however its letters are composed and whatever their case."""
    return folded_password(password) in _common()


@cache
def _common() -> frozenset[str]:
    """The list; reading it takes two milliseconds, once and not before somebody chooses a password."""
    text = files("services.users").joinpath("common_passwords.txt").read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if not line.startswith("# "))
