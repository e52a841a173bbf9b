import pytest
from hypothesis import given
from hypothesis import strategies as st

from orm import Conflict
from services.chat.actions.reactions import toggled
from services.chat.rules import MAX_EMOJI
from services.chat.schemas import ReactionView

Uses = st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 3)), max_size=30)


@given(Uses)
def test_each_user_is_with_an_emoji_that_he_used_an_odd_number_of_times(uses: list[tuple[str, int]]) -> None:
    reactions: tuple[ReactionView, ...] = ()
    for emoji, user_id in uses:
        reactions = toggled(reactions, emoji, user_id)
    held = {(one.emoji, user_id) for one in reactions for user_id in one.user_ids}
    assert held == {use for use in uses if uses.count(use) % 2}
    assert all(one.user_ids for one in reactions)
    assert len({one.emoji for one in reactions}) == len(reactions)


def test_one_emoji_too_many_is_refused_and_another_use_of_one_is_not() -> None:
    full = tuple(ReactionView(emoji=str(number), user_ids=(1,)) for number in range(MAX_EMOJI))
    with pytest.raises(Conflict, match=str(MAX_EMOJI)):
        toggled(full, "another", 1)
    assert toggled(full, "0", 2)[0].user_ids == (1, 2)
    assert len(toggled(full, "0", 1)) == MAX_EMOJI - 1
