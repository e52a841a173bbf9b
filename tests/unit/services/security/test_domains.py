import datetime
from typing import Any

import pytest

from orm import Char, Datetime, DotModel, Grant, Many2one, Ref, Registry
from orm.access import Operation
from orm.errors import FilterError, ValidationError
from orm.filters.parse import EVERYTHING, BoundFilter
from orm.metadata import ModelMeta
from services.security.domains import check_domain, check_no_circle, parse_domain, variables
from tests.support.rights import rights, rule


class Folder(DotModel):
    __table__ = "folders"

    owner_id: int | None = Many2one("owners")
    until: datetime.datetime | None = Datetime()


class Owner(DotModel):
    __table__ = "owners"

    name: str = Char(required=True)


class Page(DotModel):
    __table__ = "pages"

    folder_id: Ref[Folder] = Many2one("folders", required=True)
    title: str = Char(required=True)


REGISTRY = Registry.compose({"folder": Folder, "owner": Owner, "page": Page})
FOLDER, PAGE = REGISTRY.of(Folder), REGISTRY.of(Page)


@pytest.mark.parametrize(
    ("domain", "values"),
    [
        ([["owner_id", "=", "{{user_id}}"]], [7]),
        ([["owner_id", "!=", "{{user_id}}"]], [7]),
        ([["owner_id", "in", ["{{user_id}}", 3]]], [[7, 3]]),
        ([["owner_id", "in", "{{role_ids}}"]], [[1, 2]]),
        ([["owner_id", "between", [1, "{{user_id}}"]]], [1, 7]),
        ([["or", ["owner_id.name", "=", "Ada"], ["not", ["owner_id", "=", "{{user_id}}"]]]], ["Ada", 7]),
        ([["owner_id.name", "=", "{{nobody}}"]], ["{{nobody}}"]),
    ],
)
def test_variables_stand_for_what_is_known_when_somebody_asks(domain: Any, values: list[Any]) -> None:
    template = parse_domain(FOLDER, domain)

    assert list(template.bound(variables(7, frozenset({2, 1}))).values) == values


def test_a_domain_without_variables_is_no_template() -> None:
    assert not parse_domain(FOLDER, [["owner_id", "=", 7]]).is_template
    assert parse_domain(FOLDER, [["owner_id", "=", "{{user_id}}"]]).is_template


def test_now_is_the_time_of_the_question() -> None:
    template = parse_domain(FOLDER, [["until", ">", "{{now}}"]])

    before = datetime.datetime.now(datetime.UTC)
    (now,) = template.bound(variables(7, frozenset())).values

    assert before <= now <= datetime.datetime.now(datetime.UTC)


@pytest.mark.parametrize(
    ("domain", "pointer"),
    [
        ([["titel", "=", "x"]], "/domain/0/0"),
        ([["title", "~", "x"]], "/domain/0/1"),
        ([["title", "=", "{{user_id}}"]], "/domain/0/2"),
        ([["title", "like", "{{now}}"]], "/domain/0/2"),
        ([["folder_id", "=", "{{role_ids}}"]], "/domain/0/2"),
        ([["folder_id", "in", "{{user_id}}"]], "/domain/0/2"),
        ([["folder_id.owner_id", "in", "{{now}}"]], "/domain/0/2"),
        ("everything", "/domain"),
        ({"title": "x"}, "/domain"),
        (None, "/domain"),
    ],
)
def test_a_domain_that_does_not_fit_is_refused_with_the_place(domain: Any, pointer: str) -> None:
    with pytest.raises(FilterError) as refused:
        check_domain(REGISTRY, "pages", domain)

    assert [place.pointer for place in refused.value.errors] == [pointer]


def test_a_path_asks_for_no_rule_and_allowed_asks_for_the_rule_of_the_other_model() -> None:
    asked = []

    def allowed(meta: ModelMeta, operation: Operation) -> Grant:
        asked.append((meta.table, operation))
        return Grant(BoundFilter(("cmp", "owner_id", "="), (3,)))

    plain = parse_domain(PAGE, [["folder_id.owner_id", "=", 7]], allowed=allowed)
    asking = parse_domain(PAGE, [["folder_id", "allowed", "update"]], allowed=allowed)

    assert plain.shape == ("via", "folder_id", ("cmp", "owner_id", "="), None)
    assert asking == BoundFilter(("via", "folder_id", EVERYTHING, ("cmp", "owner_id", "=")), (3,))
    assert asked == [("folders", "update")]


def test_rules_in_a_circle_are_refused_with_the_way() -> None:
    known = rights(
        rule("pages", [["folder_id", "allowed", "update"]], operations=["read"], id=1),
        rule("folders", [["owner_id", "allowed", "read"]], role_id=1, operations=["update"], id=2),
    )
    check_no_circle(REGISTRY, known)

    class Looped(DotModel):
        __table__ = "nodes"

        parent_id: int | None = Many2one("nodes")

    registry = Registry.compose({"node": Looped})
    with pytest.raises(ValidationError, match="nodes read -> nodes read"):
        check_no_circle(registry, rights(rule("nodes", [["parent_id", "allowed", "read"]])))
