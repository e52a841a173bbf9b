"""The rows of to-many relations for many parents at once, and the rows of link tables, as text."""

from typing import Any

import pytest

from orm import Registry
from orm.access import UNLIMITED
from orm.builder import link
from orm.builder.branch import branch_rows
from orm.fields.relations import Many2manyField
from orm.filters.parse import EVERYTHING
from orm.projection import Branch, ProjectionCache
from tests.support.library import LIBRARY

REGISTRY = Registry.compose(LIBRARY)


def branch(model: str, name: str, **options: Any) -> Branch:
    made, _ = ProjectionCache().get(
        REGISTRY.model(model), (), grant=UNLIMITED, related=None, nested={name: {"fields": ["id"], **options}}
    )
    return made.branches[0][1]


def test_without_a_limit_one_pass_over_the_rows_of_all_parents_does() -> None:
    assert branch_rows(branch("author", "books", filter=[["pages", ">", 5]]), EVERYTHING) == (
        'SELECT t."author_id", t."id" FROM "books" t '
        'WHERE t."author_id" = ANY($1::bigint[]) AND t."pages" > $2::bigint ORDER BY t."id"'
    )


def test_with_a_limit_each_parent_has_a_subquery_of_its_own() -> None:
    assert branch_rows(branch("book", "tags", order="-id", limit=2), EVERYTHING) == (
        "SELECT p.id, x.* FROM unnest($1::bigint[]) AS p(id) CROSS JOIN LATERAL "
        '(SELECT t."id" FROM "book_tags" tl JOIN "tags" t ON tl."tag_id" = t."id" '
        'WHERE tl."book_id" = p.id ORDER BY t."id" DESC LIMIT $2::bigint) x'
    )


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (link.linked, 'SELECT "tag_id" FROM "book_tags" WHERE "book_id" = $1::bigint'),
        (
            link.add,
            (
                'INSERT INTO "book_tags" ("book_id", "tag_id") SELECT $1::bigint, unnest($2::bigint[]) '
                "ON CONFLICT DO NOTHING"
            ),
        ),
        (
            link.remove,
            'DELETE FROM "book_tags" WHERE "book_id" = $1::bigint AND "tag_id" = ANY($2::bigint[])',
        ),
    ],
)
def test_links_of_one_row(make: Any, text: str) -> None:
    field = REGISTRY.model("book").fields["tags"]
    assert isinstance(field, Many2manyField)
    assert make(field) == text
