import math

import pytest

from app.core.access import (
    AccessSession,
    access_session,
    access_session_or_none,
    reset_access_session,
    set_access_session,
)
from app.core.errors import Unauthenticated
from orm.access import System, current_asker, system

ADA = AccessSession(user_id=1, login="ada", name="Ada")
BOB = AccessSession(user_id=2, login="bob", name="Bob")


def test_nobody_is_signed_in_at_first() -> None:
    assert access_session_or_none() is None
    with pytest.raises(Unauthenticated, match="Sign in first"):
        access_session()


def test_a_session_is_bound_until_it_is_reset() -> None:
    outer = set_access_session(ADA)
    inner = set_access_session(BOB)

    assert access_session() is BOB
    reset_access_session(inner)
    assert access_session() is ADA
    reset_access_session(outer)
    assert access_session_or_none() is None


def test_the_orm_asks_on_behalf_of_the_bound_session() -> None:
    token = set_access_session(ADA)

    assert current_asker() is ADA
    reset_access_session(token)


def test_the_system_remembers_on_whose_behalf_it_acts() -> None:
    token = set_access_session(ADA)
    with system(), system():
        assert access_session() is ADA
        assert isinstance(current_asker(), System)
    assert current_asker() is ADA
    reset_access_session(token)


def test_the_system_is_nobody_who_signed_in() -> None:
    with system():
        assert access_session_or_none() is None
        with pytest.raises(Unauthenticated):
            access_session()


def test_a_session_has_no_rights_and_no_end_unless_given() -> None:
    assert (ADA.is_admin, ADA.role_ids, ADA.role_codes, ADA.expires_at) == (
        False,
        frozenset(),
        frozenset(),
        math.inf,
    )
