"""The SQL of a shape: complements include nulls, placeholders are typed and numbered like the values."""

from typing import Any

import pytest

from orm import Registry
from orm.builder.text import Parameters
from orm.filters.parse import parse_filter
from orm.filters.render import render_filter
from tests.support.models import SHOP, Product

META = Registry.compose(SHOP).of(Product)


@pytest.mark.parametrize(
    ("filter", "sql"),
    [
        ([["stock", "=", 3]], 't."stock" = $1::bigint'),
        ([["stock", "!=", 3]], '(t."stock" = $1::bigint) IS NOT TRUE'),
        ([["note", "=", None]], 't."note" IS NULL'),
        ([["note", "!=", None]], 't."note" IS NOT NULL'),
        ([["name", "in", ["a"]]], 't."name" = ANY($1::text[])'),
        ([["name", "in", ["a", None]]], '(t."name" = ANY($1::text[]) OR t."name" IS NULL)'),
        ([["name", "not in", ["a"]]], '(t."name" = ANY($1::text[])) IS NOT TRUE'),
        ([["stock", "between", [1, 2]]], 't."stock" BETWEEN $1::bigint AND $2::bigint'),
        ([["data", "contains", {}]], 't."data" @> $1::jsonb'),
        ([["name", "ilike", "a%"]], 't."name" ILIKE $1::text'),
        (
            [["or", ["stock", "<", 1], ["stock", ">", 5]], ["active", "=", True]],
            '((t."stock" < $1::bigint OR t."stock" > $2::bigint) AND t."active" = $3::boolean)',
        ),
        (
            [["category_id.name", "!=", "x"]],
            (
                'NOT EXISTS (SELECT 1 FROM "categories" t_1 WHERE t_1."id" = t."category_id" '
                'AND t_1."name" = $1::text)'
            ),
        ),
    ],
)
def test_a_filter_renders_as(filter: list[Any], sql: str) -> None:
    parsed = parse_filter(META, filter)
    parameters = Parameters()
    assert render_filter(parsed.shape, META, "t", parameters) == sql
    assert parameters.count == len(parsed.values)
