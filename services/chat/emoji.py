"""What counts as an emoji: one symbol, as people pick it, however many characters it is made of. Pure.

The form is Unicode's (UTS #51): a symbol with a skin tone, several of them joined, a flag, a key cap.
Symbols are told by their blocks and not one by one, so that those of a later Unicode are taken as well.
"""

import re
from typing import Final

MAX_EMOJI_CHARS: Final = 24
"""The longest that there are: a family of four with skin tones, the flags of England, Scotland and Wales."""

_SYMBOL: Final = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u2460-\u24ff\u25a0-\u27bf"
    "\u2900-\u297f\u2b00-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001f1e5\U0001f200-\U0001faff"
)
_TONE: Final = "\U0001f3fb-\U0001f3ff"
_FLAG: Final = "[\U0001f1e6-\U0001f1ff]{2}"
_KEY_CAP: Final = "[0-9#*]\ufe0f?\u20e3"
_ONE: Final = f"[{_SYMBOL}]\ufe0f?[{_TONE}]?(?:[\U000e0020-\U000e007e]+\U000e007f)?"
_EMOJI: Final = re.compile(f"{_FLAG}|{_KEY_CAP}|{_ONE}(?:\u200d{_ONE})*")


def is_emoji(text: str) -> bool:
    """Whether a text is one emoji and nothing else."""
    return len(text) <= MAX_EMOJI_CHARS and _EMOJI.fullmatch(text) is not None
