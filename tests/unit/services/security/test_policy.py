import datetime as dt

import pytest

from app.core.access import AccessSession
from app.core.access_presets import ACL
from orm import Datetime, DotModel, Registry, Text
from orm.access import OPERATIONS, SYSTEM, Operation, grant_for, system
from orm.errors import AccessDenied
from services.security.policy import Policy
from tests.support.rights import AUDITOR, BASE, access, rights, rule


class Note(DotModel):
    __table__ = "notes"

    text: str = Text(required=True)
    secret: str | None = Text(private=True)
    made_at: dt.datetime | None = Datetime()
    salary: str | None = Text(role_read="hr")


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


def of(user_id: int, *roles: int) -> AccessSession:
    ids, codes = rights().roles_of(roles)
    return AccessSession(user_id=user_id, login="x", name="X", role_ids=ids, role_codes=codes)


def values(policy: Policy, asker: object) -> tuple[object, ...] | None:
    found = policy.grant(asker, NOTE, "read").rule
    return None if found is None else found.values


def test_a_grant_is_made_once_for_a_user_and_belongs_to_him_his_roles_and_the_operation() -> None:
    policy = Policy()
    policy.use(
        rights(access("notes", BASE, ACL.FULL), rule("notes", [["id", "=", "{{user_id}}"]], role_id=BASE))
    )
    ada = of(7, BASE)
    assert policy.grant(ada, NOTE, "read") is policy.grant(of(7, BASE), NOTE, "read")
    assert (values(policy, ada), values(policy, of(8, BASE))) == ((7,), (8,))
    with pytest.raises(AccessDenied):
        policy.grant(of(7, AUDITOR), NOTE, "read")
    admin = AccessSession(user_id=7, login="x", name="X", is_admin=True, role_ids=ada.role_ids)
    assert policy.grant(admin, NOTE, "read").rule is None
    assert policy.grant(ada, NOTE, "update") is not policy.grant(ada, NOTE, "read")


def test_other_rights_make_other_grants() -> None:
    policy = Policy()
    policy.use(rights(access("notes", BASE, ACL.FULL)))
    assert values(policy, of(7, BASE)) is None
    policy.use(rights(access("notes", BASE, ACL.FULL), rule("notes", [["id", "=", 3]])))
    assert values(policy, of(7, BASE)) == (3,)
    policy.use(rights())
    with pytest.raises(AccessDenied):
        policy.grant(of(7, BASE), NOTE, "read")


def test_a_rule_about_the_time_is_filled_in_each_time() -> None:
    policy = Policy()
    timely = [["or", ["made_at", "<", "{{now}}"], ["id", "=", "{{user_id}}"]]]
    policy.use(rights(access("notes", BASE, ACL.FULL), rule("notes", timely)))
    first, second = values(policy, of(7, BASE)), values(policy, of(7, BASE))
    assert first is not None
    assert second is not None
    assert first[0] < second[0]  # type: ignore[operator]
    assert first[1] == second[1] == 7


def test_grants_are_forgotten_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.security.policy.REMEMBERED_GRANTS", 2)
    policy = Policy()
    policy.use(rights(access("notes", BASE, ACL.FULL), rule("notes", [["id", "=", "{{user_id}}"]])))
    grants = [policy.grant(of(user, BASE), NOTE, "read") for user in (1, 2, 3)]
    assert policy.grant(of(3, BASE), NOTE, "read") is grants[2]
    assert policy.grant(of(2, BASE), NOTE, "read") is grants[1]
    assert policy.grant(of(1, BASE), NOTE, "read") is not grants[0]
    assert values(policy, of(1, BASE)) == (1,)


def test_a_session_from_before_a_role_was_renamed_asks_for_itself_only() -> None:
    policy = Policy()
    policy.use(rights(access("notes", BASE, ACL.FULL), rule("notes", [["id", "=", "{{user_id}}"]])))
    ids, _ = rights().roles_of((BASE,))

    def hidden(user_id: int, code: str) -> frozenset[str]:
        asker = AccessSession(
            user_id=user_id, login="x", name="X", role_ids=ids, role_codes=frozenset({code})
        )
        return policy.grant(asker, NOTE, "read").hidden

    assert hidden(7, "hr") == frozenset()
    assert hidden(7, "staff") == {"salary"}
    assert hidden(8, "staff") == {"salary"}
