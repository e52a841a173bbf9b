"""Whom a message names by `@login`: what of its text may be a login. Pure; who is a member is asked
elsewhere.

A mention begins at the start or after something that is no part of a word, so that an e-mail address is none.
What follows the @ up to the next blank may have a point or an apostrophe behind it that is no part of the
login, and logins may contain both; so there are several candidates, the longest first, and the first of them
that is a member's login counts. A login with a blank in it cannot be mentioned.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from services.users.rules import LONGEST_LOGIN, canonical_login

MAX_MENTIONS: Final = 50
"""Places of one message that are looked at; who names more people means nobody in particular."""

_MENTION: Final = re.compile(rf"(?<![\w@.+-])@(\S{{1,{LONGEST_LOGIN}}})")
_ADDRESS: Final = re.compile(r"[\w.+@-]+")
_WORD: Final = re.compile(r"\w+")
_BEHIND: Final = ".,;:!?\u2026'\"\u00bb\u201d\u2019)]}>*_~`-"


def mentioned_logins(body: str) -> list[list[str]]:
    """The candidates of each mention in a text, canonical logins, the likeliest first."""
    if "@" not in body:
        return []
    found = []
    for number, match in enumerate(_MENTION.finditer(body)):
        if number == MAX_MENTIONS:
            break
        found.append(_candidates(match[1]))
    return found


def mentioned_ids(candidates: Iterable[Sequence[str]], ids: Mapping[str, int]) -> tuple[int, ...]:
    """The users of the mentions, in the order of the text, each once. `ids` are those of logins in the
    chat.
    """
    found = (next((ids[login] for login in logins if login in ids), None) for logins in candidates)
    return tuple(dict.fromkeys(user_id for user_id in found if user_id is not None))


def _candidates(text: str) -> list[str]:
    address, word = _ADDRESS.match(text), _WORD.match(text)
    parts = [text, text.rstrip(_BEHIND)]
    parts += [match[0].rstrip(_BEHIND + "@+") for match in (address, word) if match is not None]
    return list(dict.fromkeys(canonical_login(part) for part in parts if part))
