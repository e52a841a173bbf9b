"""Passwords that are long enough and still among the first that somebody would try. Pure.

What is refused is what a guesser makes from nothing or from what he knows: the login or the name, one
pattern again and again, a walk along the alphabet, the digits or a row of keys, and what many others have
chosen. There are no rules of composition: they make people write Password1! (NIST SP 800-63B, 5.1.1.2).
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Final

from services.users.common_passwords import is_common
from services.users.rules import folded_password

LONGEST_PATTERN: Final = 5
"""Characters. A pattern that makes up a password is no more to guess than it is by itself."""

STRAIGHT: Final = 5
"""Characters. A password of straight runs that are on average so long is a few choices, not many letters."""

_LINES: Final = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "!@#$%^&*()_+",
    *("qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./"),
    *("qwertzuiopü+", "asdfghjklöä#", "yxcvbnm,.-"),
    *("azertyuiop^$", "qsdfghjklmù*", "wxcvbn,;:!"),
    *("йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю."),
    "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
)
_FORWARD: Final = frozenset(pair for line in _LINES for pair in pairwise(line))


def weakness(password: str, own_words: Iterable[str] = ()) -> str | None:
    """Why a guesser would soon have this password, as a sentence, or None.

    `own_words` are what is known of its user: login and name.
    """
    folded = folded_password(password)
    bare = _letters(folded)
    if any(bare == _letters(folded_password(word)) for word in own_words if bare):
        return "A password is not one's own login or name."
    if min(_period(password), _period(folded)) <= LONGEST_PATTERN:
        return "This password repeats the same few characters: choose one that does not."
    if len(folded) / _straight_runs(folded) >= STRAIGHT:
        return "This password is a walk along the alphabet or the keyboard: choose one that is not."
    if is_common(password):
        return "Many people have chosen this password, so it is tried first: choose another one."
    return None


def _letters(folded: str) -> str:
    return "".join(letter for letter in folded if letter.isalnum())


def _period(text: str) -> int:
    """The length of the shortest beginning that, again and again, makes up the text."""
    return next(length for length in range(1, len(text) + 1) if text[length:] == text[:-length])


def _straight_runs(text: str) -> int:
    """How many runs make up the text, each one character repeated, or a walk in one direction of a line."""
    runs, direction = 1, None
    for step in _steps(text):
        if direction is not None and step != direction:
            runs, direction = runs + 1, None
        elif step is None:
            runs += 1
        else:
            direction = step
    return runs


def _steps(text: str) -> Iterator[int | None]:
    """How a line goes on at each character but the first: 1 onwards, -1 back, 0 the same one, None not."""
    for one, other in pairwise(text):
        if one == other:
            yield 0
        elif (one, other) in _FORWARD:
            yield 1
        elif (other, one) in _FORWARD:
            yield -1
        else:
            yield None
