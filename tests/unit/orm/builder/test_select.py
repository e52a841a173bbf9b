"""SELECT, as text."""

from typing import Any

import pytest

from orm import Registry
from orm.access import UNLIMITED
from orm.builder import select as build
from orm.builder.text import ByValues
from orm.filters.parse import EVERYTHING, Shape
from orm.metadata import ModelMeta
from orm.projection import Projection, ProjectionCache
from tests.support.library import LIBRARY

REGISTRY = Registry.compose(LIBRARY)
BOOK, AUTHOR = REGISTRY.model("book"), REGISTRY.model("author")
BY_ID: Shape = ("cmp", "id", "=")
BY_ID_ORDER = (("id", False),)
OF_ANN: Shape = ("via", "author_id", ("cmp", "name", "="), None)


def projection(*fields: str, meta: ModelMeta = BOOK) -> Projection:
    return ProjectionCache().get(meta, fields, grant=UNLIMITED, related=None)[0]


def test_columns_in_the_order_asked_for_after_the_id() -> None:
    text = build.select(BOOK, projection("pages", "title"), (BY_ID,), order=())
    assert text == 'SELECT t."id", t."pages", t."title" FROM "books" t WHERE t."id" = $1::bigint'


def test_a_to_one_relation_rides_along() -> None:
    text = build.select(BOOK, projection("author_id.name"), (EVERYTHING,), order=())
    assert text == (
        'SELECT t."id", t."author_id", t1."id", t1."name" FROM "books" t '
        'LEFT JOIN "authors" t1 ON t1."id" = t."author_id"'
    )


def test_order_limit_offset_lock_and_columns_behind() -> None:
    text = build.select(
        AUTHOR,
        projection("id", meta=AUTHOR),
        (EVERYTHING, ("null", "mentor_id")),
        order=(("mentor_id", True), ("name", False), ("id", True)),
        limited=True,
        skipping=True,
        lock="FOR UPDATE",
        extra=("name", "xmin"),
    )
    assert text == (
        'SELECT t."id", t."name", t."xmin"::text FROM "authors" t WHERE t."mentor_id" IS NULL '
        'ORDER BY t."mentor_id" DESC NULLS LAST, t."name", t."id" DESC LIMIT $1::bigint OFFSET $2::bigint '
        "FOR UPDATE OF t"
    )


def test_the_count_beside_a_page_has_the_same_placeholders() -> None:
    text = build.select(
        BOOK, projection("id"), (("cmp", "pages", ">"),), order=BY_ID_ORDER, limited=True, counted=True
    )
    assert text == (
        'SELECT t."id", (SELECT count(*) FROM "books" t WHERE t."pages" > $1::bigint) FROM "books" t '
        'WHERE t."pages" > $1::bigint ORDER BY t."id" LIMIT $2::bigint OFFSET $2::bigint - $2::bigint'
    )


def test_few_rows_are_counted_as_they_are_found() -> None:
    condition: Shape = ("cmp", "pages", ">")
    options: dict[str, Any] = {"order": BY_ID_ORDER, "limited": True, "counted": True, "few": True}
    assert build.select(BOOK, projection("id"), (condition,), **options) == (
        'SELECT t."id", count(*) OVER () FROM "books" t '
        'WHERE t."pages" > $1::bigint ORDER BY t."id" LIMIT $2::bigint OFFSET $2::bigint - $2::bigint'
    )
    assert build.select(BOOK, projection("author_id.name"), (condition,), **options) == (
        'SELECT t."id", t."author_id", t1."id", t1."name", t."count(*)" FROM '
        '(SELECT *, count(*) OVER () AS "count(*)" FROM "books" t WHERE t."pages" > $1::bigint '
        'ORDER BY t."id" '
        "LIMIT $2::bigint OFFSET $2::bigint - $2::bigint) t "
        'LEFT JOIN "authors" t1 ON t1."id" = t."author_id" ORDER BY t."id"'
    )


def test_a_page_of_a_keyset_is_not_all_that_is_counted() -> None:
    text = build.select(
        BOOK,
        projection("id"),
        (("cmp", "pages", ">"),),
        order=BY_ID_ORDER,
        limited=True,
        counted=True,
        few=True,
        nulls=(False,),
    )
    assert '(SELECT count(*) FROM "books" t WHERE t."pages" > $1::bigint)' in text
    assert "OVER" not in text


def test_a_page_is_cut_before_its_rows_are_joined() -> None:
    text = build.select(
        BOOK, projection("author_id.name"), (("cmp", "pages", ">"),), order=BY_ID_ORDER, limited=True
    )
    assert text == (
        'SELECT t."id", t."author_id", t1."id", t1."name" FROM '
        '(SELECT * FROM "books" t WHERE t."pages" > $1::bigint ORDER BY t."id" '
        "LIMIT $2::bigint OFFSET $2::bigint - $2::bigint) t "
        'LEFT JOIN "authors" t1 ON t1."id" = t."author_id" ORDER BY t."id"'
    )


def test_json_takes_the_cheapest_form_of_a_column() -> None:
    text = build.select(BOOK, projection("price"), (BY_ID,), order=(), as_json=True)
    assert text.startswith('SELECT t."id", t."price"::text FROM')


@pytest.mark.parametrize(
    ("text", "by_values"),
    [
        (
            build.select(BOOK, projection("id"), (("cmp", "pages", ">"),), order=BY_ID_ORDER, limited=True),
            False,
        ),
        (build.select(BOOK, projection("id"), (OF_ANN,), order=BY_ID_ORDER), True),
        (build.select(BOOK, projection("id"), (EVERYTHING, ("not", OF_ANN)), order=BY_ID_ORDER), True),
        (build.select(BOOK, projection("id"), (EVERYTHING,), order=BY_ID_ORDER, skipping=True), True),
        (build.select(BOOK, projection("id"), (BY_ID, OF_ANN), order=()), False),
        (build.count(BOOK, (("cmp", "pages", ">"),)), False),
        (build.count(BOOK, (("or", ("null", "price"), OF_ANN),)), True),
    ],
)
def test_lists_whose_plan_depends_on_values_are_planned_by_them(text: str, by_values: bool) -> None:
    assert isinstance(text, ByValues) is by_values


def test_counting_and_asking_whether_there_is_any() -> None:
    assert build.count(BOOK, (EVERYTHING,)) == 'SELECT count(*) FROM "books" t'
    assert build.exists(BOOK, (BY_ID,)) == 'SELECT EXISTS (SELECT 1 FROM "books" t WHERE t."id" = $1::bigint)'


def test_rows_are_locked_in_the_order_of_their_ids() -> None:
    assert build.locked_ids(BOOK, (("null", "price"),), "FOR UPDATE") == (
        'SELECT t."id" FROM "books" t WHERE t."price" IS NULL ORDER BY t."id" FOR UPDATE'
    )


def test_rows_come_back_in_the_order_of_the_ids_given() -> None:
    assert build.rows_by_id(BOOK, ("id", "title", "xmin")) == (
        'SELECT t."id", t."title", t."xmin"::text '
        'FROM unnest($1::bigint[]) WITH ORDINALITY AS n("id", "ordinality") '
        'JOIN "books" t USING ("id") ORDER BY n."ordinality"'
    )
