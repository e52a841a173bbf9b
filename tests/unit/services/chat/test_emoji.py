import pytest

from services.chat.emoji import MAX_EMOJI_CHARS, is_emoji

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
SCOTLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"
RAINBOW = "\U0001f3f3\ufe0f\u200d\U0001f308"
HANDS = "\U0001f9d1\U0001f3fd\u200d\U0001f91d\u200d\U0001f9d1\U0001f3fb"


@pytest.mark.parametrize(
    "text",
    [
        "👍",
        "❤",
        "❤️",
        "👍🏽",
        FAMILY,
        SCOTLAND,
        RAINBOW,
        HANDS,
        "🇷🇺",
        "1\ufe0f\u20e3",
        "#\u20e3",
        "©",
        "☕",
        "\U0001fae8",
    ],
)
def test_one_symbol_is_an_emoji_however_many_characters_it_has(text: str) -> None:
    assert is_emoji(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "ж",
        "1",
        "#",
        "👍👍",
        "👍 ",
        "hi👍",
        "\ufe0f",
        "\u200d",
        "🇷",
        "👍\u200d",
        "<b>",
        "👍\n",
        "\U0001f468\u200d" * 9 + "\U0001f468\u200d" * 9,
    ],
)
def test_anything_else_is_none(text: str) -> None:
    assert not is_emoji(text)


def test_what_is_longer_than_any_emoji_is_none() -> None:
    longest = "\U0001f468" + "\u200d\U0001f468" * ((MAX_EMOJI_CHARS - 1) // 2)
    assert is_emoji(longest)
    assert not is_emoji(longest + "\u200d\U0001f468")
