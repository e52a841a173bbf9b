"""What the policy makes of rights; and that whatever cannot be understood denies."""

from typing import Any

import pytest

from app.core.access import AccessSession, Anonymous
from app.core.access_presets import ACL, ADMINISTRATORS
from orm import Char, DotModel, Grant, Integer, Many2one, Ref, Registry
from orm.access import OPERATIONS, Operation
from orm.errors import AccessDenied
from orm.filters.parse import NEVER, BoundFilter
from services.security.policy import Policy
from services.security.rights import Rights, RuleRow
from tests.support.rights import AUDITOR, BASE, MANAGER, access, rights, rule


class Folder(DotModel):
    __table__ = "folders"

    owner: int = Integer(required=True)


class Note(DotModel):
    __table__ = "notes"
    __route__ = "my-notes"

    owner: int = Integer(required=True)
    folder_id: Ref[Folder] | None = Many2one("folders")
    text: str = Char(required=True)
    price: int | None = Integer(
        role_read="manager", role_create=("manager", "auditor"), role_update="manager"
    )
    secret: str | None = Char(role_read=ADMINISTRATORS)


REGISTRY = Registry.compose({"folder": Folder, "note": Note})
NOTE, FOLDER = REGISTRY.of(Note), REGISTRY.of(Folder)
OWN = [["owner", "=", "{{user_id}}"]]


def asker(*role_ids: int, known: Rights | None = None, **more: Any) -> AccessSession:
    ids, codes = (known or rights()).roles_of(role_ids)
    return AccessSession(user_id=7, login="ada", name="Ada", role_ids=ids, role_codes=codes, **more)


def grant(known: Rights, who: object, operation: Operation = "read", model: Any = NOTE) -> Grant:
    policy = Policy()
    policy.use(known)
    return policy.grant(who, model, operation)


@pytest.mark.parametrize(
    ("acl", "allowed"),
    [
        (ACL.FULL, "create read update delete"),
        (ACL.READ_ONLY, "read"),
        (ACL.NO_DELETE, "create read update"),
        (ACL.NO_CREATE, "read update delete"),
        (ACL.CREATE_READ, "create read"),
        (ACL.NO_ACCESS, ""),
    ],
)
def test_an_access_list_allows_what_it_says(acl: ACL, allowed: str) -> None:
    known = rights(access("notes", BASE, acl))

    for operation in OPERATIONS:
        if operation in allowed.split():
            assert grant(known, asker(BASE), operation).rule is None
        else:
            with pytest.raises(AccessDenied, match=f"You have no right to {operation} notes."):
                grant(known, asker(BASE), operation)


def test_lists_of_several_roles_add_up() -> None:
    known = rights(access("notes", BASE, ACL.READ_ONLY), access("notes", AUDITOR, ACL.DELETE))

    assert grant(known, asker(BASE, AUDITOR), "delete").rule is None
    with pytest.raises(AccessDenied):
        grant(known, asker(BASE), "delete")


def test_the_list_of_a_base_counts_for_who_is_based_on_it() -> None:
    known = rights(access("notes", BASE, ACL.READ_ONLY))

    assert grant(known, asker(MANAGER)).rule is None


def test_rules_of_roles_widen_and_rules_of_everybody_narrow() -> None:
    known = rights(
        access("notes", BASE, ACL.FULL),
        rule("notes", OWN, role_id=BASE, id=1),
        rule("notes", [["text", "like", "x%"]], role_id=MANAGER, id=2),
        rule("notes", [["text", "!=", "gone"]], id=3),
    )

    assert grant(known, asker(MANAGER)).rule == BoundFilter(
        (
            "and",
            ("not", ("cmp", "text", "=")),
            ("or", ("cmp", "owner", "="), ("like", "text", "like")),
        ),
        ("gone", 7, "x%"),
    )
    assert grant(known, asker(BASE)).rule == BoundFilter(
        ("and", ("not", ("cmp", "text", "=")), ("cmp", "owner", "=")), ("gone", 7)
    )


def test_an_empty_rule_of_one_role_lets_every_row_through() -> None:
    known = rights(
        access("notes", BASE, ACL.FULL), rule("notes", OWN, role_id=BASE), rule("notes", [], role_id=MANAGER)
    )

    assert grant(known, asker(BASE)).rule == BoundFilter(("cmp", "owner", "="), (7,))
    assert grant(known, asker(MANAGER)).rule is None


def test_each_asker_gets_his_own_values_from_the_same_template() -> None:
    known = rights(access("notes", BASE, ACL.FULL), rule("notes", OWN, role_id=BASE))
    policy = Policy()
    policy.use(known)

    ids = [policy.grant(asker(BASE), NOTE, "read").rule]
    ids.append(
        policy.grant(
            AccessSession(user_id=8, login="b", name="B", role_ids=frozenset({BASE})), NOTE, "read"
        ).rule
    )

    assert [one.values if one else None for one in ids] == [(7,), (8,)]


def test_fields_are_hidden_from_who_has_none_of_their_roles() -> None:
    known = rights(access("notes", BASE, ACL.FULL), access("notes", AUDITOR, ACL.FULL))

    assert grant(known, asker(BASE)).hidden == {"price", "secret"}
    assert grant(known, asker(MANAGER)).hidden == {"secret"}
    assert grant(known, asker(AUDITOR), "create").hidden == frozenset()
    assert grant(known, asker(AUDITOR), "update").hidden == {"price"}
    assert grant(known, asker(BASE, is_admin=True)).hidden == frozenset()


def test_an_administrator_passes_lists_and_rules_but_no_guard() -> None:
    policy = Policy({"folders": OWN})
    policy.use(rights(rule("notes", [["text", "=", "x"]])))
    admin = asker(is_admin=True)

    assert policy.grant(admin, NOTE, "delete").rule is None
    assert policy.grant(admin, FOLDER, "read").rule == BoundFilter(("cmp", "owner", "="), (7,))


def test_a_guard_binds_besides_lists_and_rules() -> None:
    policy = Policy({"notes": [["text", "=", "ours"]]})
    policy.use(rights(access("notes", BASE, ACL.READ_ONLY), rule("notes", OWN, role_id=BASE)))

    assert policy.grant(asker(BASE), NOTE, "read").rule == BoundFilter(
        ("and", ("cmp", "text", "="), ("cmp", "owner", "=")), ("ours", 7)
    )
    with pytest.raises(AccessDenied):
        policy.grant(asker(BASE), NOTE, "update")


def test_allowed_asks_for_the_rules_of_the_other_model() -> None:
    known = rights(
        access("notes", BASE, ACL.READ_ONLY),
        access("folders", BASE, ACL.READ_ONLY),
        rule("notes", [["folder_id", "allowed", "read"]], role_id=BASE, id=1),
        rule("folders", OWN, role_id=BASE, id=2),
    )

    assert grant(known, asker(BASE)).rule == BoundFilter(
        ("via", "folder_id", ("and",), ("cmp", "owner", "=")), (7,)
    )


def test_allowed_lets_no_row_through_where_the_other_model_is_closed() -> None:
    known = rights(
        access("notes", BASE, ACL.READ_ONLY),
        rule("notes", [["folder_id", "allowed", "read"]], role_id=BASE),
    )

    assert grant(known, asker(BASE)).rule == BoundFilter(NEVER, ())


@pytest.mark.parametrize(
    "broken",
    [
        rule("notes", [["gone", "=", 1]], role_id=BASE),
        rule("notes", [["gone", "=", 1]]),
        rule("notes", {"text": "x"}, role_id=BASE),
        rule("notes", None, role_id=BASE),
        rule("notes", [["not", ["folder_id.gone", "=", 1]]], role_id=BASE),
        RuleRow(1, "by hand", "notes", BASE, [["gone", "=", 1]], None),
    ],
)
def test_a_rule_that_cannot_be_used_denies_and_says_so(
    broken: RuleRow, caplog: pytest.LogCaptureFixture
) -> None:
    known = rights(access("notes", BASE, ACL.FULL), broken, rule("notes", [], role_id=BASE, id=2))

    with pytest.raises(AccessDenied, match="A rule on notes cannot be used"):
        grant(known, asker(BASE))

    assert f"rule 1 ({broken.name}) on notes cannot be used" in caplog.text


def test_a_broken_rule_behind_not_allowed_opens_nothing(caplog: pytest.LogCaptureFixture) -> None:
    known = rights(
        access("notes", BASE, ACL.FULL),
        access("folders", BASE, ACL.FULL),
        rule("notes", [["not", ["folder_id", "allowed", "read"]]], role_id=BASE, id=1),
        rule("folders", [["gone", "=", 1]], role_id=BASE, id=2),
    )

    with pytest.raises(AccessDenied, match="A rule on notes cannot be used"):
        grant(known, asker(BASE))

    assert "rule 2 (r2) on folders" in caplog.text


def test_rules_that_ask_each_other_without_end_deny_and_say_so(caplog: pytest.LogCaptureFixture) -> None:
    class Node(DotModel):
        __table__ = "nodes"

        parent_id: int | None = Many2one("nodes")

    meta = Registry.compose({"node": Node}).of(Node)
    known = rights(
        access("nodes", BASE, ACL.FULL), rule("nodes", [["not", ["parent_id", "allowed", "read"]]])
    )

    with pytest.raises(AccessDenied, match="A rule on nodes cannot be used"):
        grant(known, asker(BASE), model=meta)

    assert "nodes read -> nodes read" in caplog.text


def test_the_anonymous_user_may_what_the_route_names_under_the_rules_of_everybody() -> None:
    known = rights(
        access("notes", BASE, ACL.FULL),
        rule("notes", [["text", "=", "public"]], id=1),
        rule("notes", OWN, role_id=BASE, id=2),
    )
    anonymous = Anonymous(tables={"notes": frozenset({"read"})})

    granted = grant(known, anonymous)

    assert granted.rule == BoundFilter(("cmp", "text", "="), ("public",))
    assert granted.hidden == {"price", "secret"}
    for operation, model in (("update", NOTE), ("read", FOLDER)):
        with pytest.raises(AccessDenied):
            grant(known, anonymous, operation, model)  # type: ignore[arg-type]


@pytest.mark.parametrize("is_admin", [False, True])
def test_an_api_key_narrows_to_its_scopes(is_admin: bool) -> None:
    known = rights(access("notes", BASE, ACL.FULL), access("folders", BASE, ACL.FULL))
    key = asker(BASE, is_admin=is_admin, scopes=frozenset({"my-notes:read"}))

    assert grant(known, key).rule is None
    with pytest.raises(AccessDenied, match="no scope my-notes:update"):
        grant(known, key, "update")
    with pytest.raises(AccessDenied, match="no scope folders:read"):
        grant(known, key, "read", FOLDER)


def test_what_is_remembered_goes_with_the_snapshot() -> None:
    policy = Policy()
    policy.use(rights(access("notes", BASE, ACL.FULL)))
    policy.grant(asker(BASE), NOTE, "read")

    policy.use(rights())

    with pytest.raises(AccessDenied):
        policy.grant(asker(BASE), NOTE, "read")


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.security.policy.REMEMBERED", 3)
    policy = Policy()
    policy.use(rights(access("notes", BASE, ACL.FULL)))

    for other in range(10, 20):
        session = AccessSession(user_id=7, login="a", name="A", role_ids=frozenset({BASE, other}))
        policy.grant(session, NOTE, "read")

    assert len(policy._remembered) == 3
