from app.core.access_presets import ACL
from orm.access import OPERATIONS
from services.security.rights import RuleRow
from tests.support.rights import AUDITOR, BASE, MANAGER, access, rights, rule


def test_a_role_brings_what_it_is_based_on() -> None:
    ids, codes = rights().roles_of([MANAGER])

    assert ids == {MANAGER, BASE}
    assert codes == {"manager", "base_user"}


def test_several_roles_bring_the_union() -> None:
    assert rights().roles_of([AUDITOR, MANAGER])[0] == {AUDITOR, MANAGER, BASE}


def test_a_role_that_is_not_known_brings_nothing() -> None:
    assert rights().roles_of([99]) == (frozenset(), frozenset())


def test_lists_are_those_of_the_roles_on_the_table() -> None:
    known = rights(
        access("notes", BASE, ACL.READ_ONLY),
        access("notes", AUDITOR, ACL.FULL),
        access("books", BASE, ACL.FULL),
    )

    found = known.lists("notes", frozenset({BASE, MANAGER}))

    assert [(one.role_id, one.allows("read"), one.allows("delete")) for one in found] == [(BASE, True, False)]


def test_rules_are_those_of_the_roles_and_those_of_everybody() -> None:
    known = rights(
        rule("notes", [], role_id=BASE, id=1),
        rule("notes", [], role_id=AUDITOR, id=2),
        rule("notes", [], id=3),
        rule("books", [], id=4),
        rule("notes", [], operations=["delete"], id=5),
    )

    assert [one.id for one in known.rules("notes", frozenset({BASE}), "read")] == [1, 3]
    assert [one.id for one in known.rules("notes", frozenset({BASE}), "delete")] == [1, 3, 5]


def test_a_rule_that_does_not_say_for_what_it_is_binds_in_everything() -> None:
    scribbled = RuleRow(1, "by hand", "notes", None, [], "reed")

    assert all(scribbled.binds(operation) for operation in OPERATIONS)
