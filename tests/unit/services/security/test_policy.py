import pytest

from app.core.access import AccessSession
from orm import DotModel, Registry, Text
from orm.access import OPERATIONS, SYSTEM, Operation, grant_for, system
from orm.errors import AccessDenied
from services.security.policy import Policy


class Note(DotModel):
    __table__ = "notes"

    text: str = Text(required=True)
    secret: str | None = Text(private=True)


NOTE = Registry.compose({"note": Note}).of(Note)
ADMIN = AccessSession(user_id=1, login="root", name="Root", is_admin=True)
USER = AccessSession(user_id=2, login="ada", name="Ada", role_codes=frozenset({"manager"}))


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_administrator_may_do_everything_with_every_row(operation: Operation) -> None:
    grant = Policy().grant(ADMIN, NOTE, operation)

    assert grant.rule is None
    assert grant.hidden == frozenset()


@pytest.mark.parametrize("asker", [None, USER, object(), "admin"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_anybody_else_may_do_nothing(asker: object, operation: Operation) -> None:
    with pytest.raises(AccessDenied, match=f"(no right|Sign in) to {operation} notes"):
        Policy().grant(asker, NOTE, operation)


def test_the_program_itself_does_not_ask() -> None:
    with system():
        assert grant_for(Policy(), NOTE, "delete").rule is None


def test_to_be_the_system_one_has_to_be_bound_as_it() -> None:
    with pytest.raises(AccessDenied):
        Policy().grant(SYSTEM, NOTE, "read")
