from typing import Any

import pytest

from app.crud.bounds import LARGEST_NESTED_LIMIT, MOST_ROWS, NESTED_LIMIT, bounded
from orm import Registry
from orm.errors import FilterError
from tests.integration.app.crud.world import MODELS

REGISTRY = Registry.compose(MODELS)
TASK, PERSON = REGISTRY.model("task"), REGISTRY.model("person")

LIMIT = {"limit": NESTED_LIMIT}
IDS = {"fields": (), **LIMIT}  # of a relation that `fields` only names


@pytest.mark.parametrize(
    ("fields", "nested", "expected"),
    [
        (None, {}, {}),
        (["title", "owner_id.name"], {}, {}),
        (["labels"], {}, {"labels": IDS}),
        (["labels.name", "children.title", "labels.id"], {}, {"labels": LIMIT, "children": LIMIT}),
        (["owner_id.tasks.title"], {}, {"owner_id.tasks": LIMIT}),
        (["labels.tasks.title"], {}, {"labels": LIMIT | {"nested": {"tasks": LIMIT}}}),
        (["labels"], {"labels": {"limit": 7, "order": "-id"}}, {"labels": {"limit": 7, "order": "-id"}}),
        (None, {"labels": {"limit": None}}, {"labels": LIMIT}),
        (None, {"labels": {"fields": ["tasks"]}},
         {"labels": {"fields": ["tasks"], **LIMIT, "nested": {"tasks": IDS}}}),
        (None, {"labels": {"nested": {"tasks": {"limit": 9}}}},
         {"labels": {**LIMIT, "nested": {"tasks": {"limit": 9}}}}),
        (None, {"owner_id": {"fields": ["name", "tasks.title"]}},
         {"owner_id": {"fields": ["name", "tasks.title"]}, "owner_id.tasks": LIMIT}),
    ],
)  # fmt: skip
def test_every_to_many_relation_gets_a_limit(fields: Any, nested: Any, expected: Any) -> None:
    assert bounded(TASK, fields, nested, 1) == expected


@pytest.mark.parametrize(
    ("fields", "nested"),
    [
        (["", ".", "labels.", "nothing", "title.x", 7, None, "owner_id.nothing.tasks"], {}),
        (None, {"nothing": {}, "title": {"limit": 10**9}, "labels": {"limit": "many"}}),
        (None, {"labels": {"limit": True, "fields": 7}, "children": {"limit": 0}}),
        (None, {"labels": 7, "owner_id": 7}),
        (None, {"labels": {"nested": 7, "fields": {}}}),
    ],
)
def test_what_is_wrong_in_another_way_is_left_for_the_orm(fields: Any, nested: Any) -> None:
    found = bounded(TASK, fields, nested, 1)
    assert found.keys() >= nested.keys()


def deep(levels: int, limit: int = 1) -> dict[str, Any]:
    """A relation within a relation, so many times."""
    nested: dict[str, Any] = {}
    for _ in range(levels):
        nested = {"children": {"limit": limit, "nested": nested}}
    return nested


def test_nesting_without_end_is_left_for_the_orm_too() -> None:
    assert bounded(TASK, None, deep(200), 1)


@pytest.mark.parametrize(
    ("fields", "nested", "rows", "place", "code"),
    [
        (None, {"labels": {"limit": LARGEST_NESTED_LIMIT + 1}}, 1, "/nested/labels/limit", "range"),
        (None, {"labels": {"limit": 10**9}}, 1, "/nested/labels/limit", "range"),
        (None, {"labels": {"nested": {"tasks": {"limit": 501}}}}, 1,
         "/nested/labels/nested/tasks/limit", "range"),
        (["labels.tasks"], {}, 500, "/nested/labels/nested/tasks/limit", "too_many"),
        (None, deep(3, 500), 1, "/nested/children/nested/children/limit", "too_many"),
        (["labels", "children"], {"labels": {"limit": 500}}, 500, "/nested/children/limit", "too_many"),
    ],
)  # fmt: skip
def test_more_rows_than_an_answer_can_hold_are_refused(
    fields: Any, nested: Any, rows: int, place: str, code: str
) -> None:
    with pytest.raises(FilterError) as caught:
        bounded(TASK, fields, nested, rows)
    assert [(one.pointer, one.code) for one in caught.value.errors] == [(place, code)]


def test_as_many_rows_as_an_answer_can_hold_are_not() -> None:
    rows = MOST_ROWS // LARGEST_NESTED_LIMIT
    assert bounded(PERSON, None, {"tasks": {"limit": LARGEST_NESTED_LIMIT}}, rows)
