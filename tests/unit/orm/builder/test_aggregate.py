"""Figures over groups, as text."""

from orm import Registry
from orm.access import UNLIMITED
from orm.builder.aggregate import Group, Value, aggregate
from orm.builder.text import ByValues
from orm.filters.parse import EVERYTHING
from orm.projection import ProjectionCache
from tests.support.library import LIBRARY

BOOK = Registry.compose(LIBRARY).model("book")
PROJECTION = ProjectionCache().get(BOOK, ("author_id.name",), grant=UNLIMITED, related=None)[0]


def test_groups_come_before_figures_and_give_the_order() -> None:
    text = aggregate(
        BOOK,
        PROJECTION,
        (Group(PROJECTION.column("author_id.name"), None, is_date=False),),
        (Value("sum", 't."pages"'), Value("count", 't."id"')),
        (("cmp", "pages", ">"), EVERYTHING),
    )
    assert text == (
        'SELECT t1."name", sum(t."pages"), count(t."id") FROM "books" t '
        'LEFT JOIN "authors" t1 ON t1."id" = t."author_id" WHERE t."pages" > $1::bigint '
        "GROUP BY 1 ORDER BY 1 LIMIT $2::bigint"
    )
    assert not isinstance(text, ByValues)


def test_times_are_cut_in_utc_and_dates_without_a_zone() -> None:
    assert Group("t.at", "month", is_date=False).sql == "date_trunc('month', t.at, 'UTC')"
    assert Group("t.day", "week", is_date=True).sql == "date_trunc('week', t.day::timestamp)::date"


def test_a_condition_behind_a_path_is_planned_by_its_values() -> None:
    shape = ("via", "author_id", ("cmp", "name", "="), None)
    assert isinstance(aggregate(BOOK, PROJECTION, (), (Value("count", 't."id"'),), (shape,)), ByValues)
