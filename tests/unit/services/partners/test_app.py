"""What the partners module says of access, as data."""

from app.core.access_presets import ACL
from services.partners.app import Partners
from services.partners.models import Partner, PartnerCategory

TABLES = {Partner.__table__, PartnerCategory.__table__}


def test_every_table_of_the_module_says_what_each_role_may() -> None:
    assert set(Partners.access) == TABLES
    assert {role for roles in Partners.access.values() for role in roles} == {"base_user", "manager"}
    assert Partners.access["partner_categories"]["base_user"] == ACL.READ_ONLY


def test_no_rule_narrows_reading_and_managers_have_one_that_opens_every_write() -> None:
    rules = {rule.role: rule for rule in Partners.rules}

    assert all(ACL.READ not in rule.operations for rule in rules.values())
    assert rules["manager"].domain == []
    assert rules["manager"].operations == rules["base_user"].operations


def test_a_credit_limit_is_for_managers() -> None:
    field = Partner.__fields__["credit_limit"]

    assert field.role_read == field.role_create == field.role_update == {"manager"}
