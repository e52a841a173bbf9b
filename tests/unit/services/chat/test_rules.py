import msgspec
import pytest

from orm import AccessDenied, Conflict, Invalid
from services.chat.rules import (
    CREATOR,
    ChatType,
    Right,
    Rights,
    check_body,
    check_emoji,
    direct_key,
    preset,
    require,
    require_open,
)


@pytest.mark.parametrize(
    ("chat_type", "held"),
    [
        ("direct", {"can_read", "can_write", "can_pin"}),
        ("group", {"can_read", "can_write"}),
        ("record", {"can_read", "can_write"}),
        ("channel", {"can_read"}),
    ],
)
def test_the_type_of_a_chat_decides_what_a_new_member_may_do(chat_type: ChatType, held: set[str]) -> None:
    rights = msgspec.structs.asdict(preset(chat_type))
    assert {name for name, is_held in rights.items() if is_held} == held


@pytest.mark.parametrize("chat_type", ["direct", "group", "record", "channel"])
def test_the_creator_has_every_right(chat_type: ChatType) -> None:
    rights = preset(chat_type, is_creator=True)
    assert rights == CREATOR
    assert all(msgspec.structs.asdict(rights).values())


def test_a_right_that_is_held_is_not_spoken_of() -> None:
    require("can_pin", True)


@pytest.mark.parametrize("right", Rights.__struct_fields__)
def test_a_right_that_is_missing_is_named_in_the_refusal(right: Right) -> None:
    with pytest.raises(AccessDenied) as caught:
        require(right, False)
    assert "chat" in caught.value.detail


def test_an_archived_chat_refuses_changes() -> None:
    require_open(archived=False)
    with pytest.raises(Conflict, match="archived"):
        require_open(archived=True)


def test_both_users_of_a_direct_chat_have_one_key() -> None:
    assert direct_key(7, 12) == direct_key(12, 7) == "7:12"
    assert direct_key(1, 23) != direct_key(12, 3)


def test_a_body_may_be_as_long_as_the_limit() -> None:
    check_body("x" * 10, max_chars=10)


@pytest.mark.parametrize(
    ("body", "code"), [("", "empty"), (" \n\t", "empty"), ("x" * 11, "too_long"), ("ж" * 11, "too_long")]
)
def test_a_body_without_text_or_above_the_limit_is_refused_by_pointer(body: str, code: str) -> None:
    with pytest.raises(Invalid) as caught:
        check_body(body, max_chars=10)
    (place,) = caught.value.errors
    assert (place.pointer, place.code) == ("/body", code)


def test_a_reaction_that_is_no_emoji_is_refused_by_pointer() -> None:
    check_emoji("👍")
    with pytest.raises(Invalid) as caught:
        check_emoji("hello")
    (place,) = caught.value.errors
    assert (place.pointer, place.code) == ("/emoji", "not_an_emoji")
