import math

import pytest

from app.core.access import (
    AccessSession,
    Anonymous,
    access_session,
    access_session_or_none,
    is_scope,
    reset_access_session,
    scope_allows,
    session_only,
    set_access_session,
)
from app.core.errors import Unauthenticated
from orm.access import OPERATIONS, Operation, System, bind_asker, current_asker, reset_asker, system
from orm.errors import AccessDenied

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


def test_the_anonymous_user_is_nobody_who_signed_in() -> None:
    anonymous = Anonymous(tables={"partners": frozenset({"read"})})
    token = bind_asker(anonymous)

    assert current_asker() is anonymous
    assert anonymous.user_id == 0
    assert access_session_or_none() is None
    with pytest.raises(Unauthenticated):
        access_session()
    reset_asker(token)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_without_scopes_everything_is_let_through_and_with_none_of_them_nothing(operation: Operation) -> None:
    assert scope_allows(None, "partners", operation)
    assert not scope_allows(frozenset(), "partners", operation)


@pytest.mark.parametrize(
    ("scope", "route", "operation", "is_allowed"),
    [
        ("partners:read", "partners", "read", True),
        ("partners:read", "partners", "update", False),
        ("partners:read", "partner", "read", False),
        ("partners:read", "partners_archive", "read", False),
        ("partners:*", "partners", "delete", True),
        ("partners:*", "users", "read", False),
        ("*:read", "users", "read", True),
        ("*:read", "users", "create", False),
        ("*:*", "users", "create", True),
        ("*", "users", "read", False),
        ("", "users", "read", False),
    ],
)
def test_a_scope_lets_through_its_operation_on_its_route(
    scope: str, route: str, operation: Operation, is_allowed: bool
) -> None:
    assert scope_allows(frozenset({scope}), route, operation) is is_allowed


def test_one_scope_of_many_is_enough() -> None:
    scopes = frozenset({"users:read", "partners:create"})

    assert scope_allows(scopes, "partners", "create")
    assert not scope_allows(scopes, "partners", "read")


@pytest.mark.parametrize(
    "text", ["partners:read", "partners:*", "*:delete", "*:*", "price-lists:create", "a.b~c:read"]
)
def test_a_scope_names_a_route_and_an_operation(text: str) -> None:
    assert is_scope(text)


@pytest.mark.parametrize(
    "text",
    ["", ":", "partners", "partners:", ":read", "partners:write", "a b:read", "partners:read ", "*",
     "**:read", "a/b:read", "partners:read\n", "partners:READ", "é:read"],
)  # fmt: skip
def test_anything_else_is_no_scope(text: str) -> None:
    assert not is_scope(text)


def test_what_a_person_must_do_himself_is_denied_to_an_api_key() -> None:
    token = set_access_session(ADA)
    assert session_only() is ADA
    reset_access_session(token)

    token = set_access_session(
        AccessSession(user_id=1, login="ada", name="Ada", key_id=7, scopes=frozenset({"*:*"}))
    )
    with pytest.raises(AccessDenied, match="API key"):
        session_only()
    reset_access_session(token)


def test_where_nobody_is_signed_in_there_is_no_session_either() -> None:
    with pytest.raises(Unauthenticated):
        session_only()
