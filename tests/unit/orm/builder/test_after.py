"""The condition of the page after a row, as text."""

import pytest

from orm import Registry
from orm.builder.after import after
from orm.builder.text import Parameters
from orm.ordering import Order
from tests.support.library import LIBRARY

BOOK = Registry.compose(LIBRARY).model("book")


@pytest.mark.parametrize(
    ("order", "nulls", "text"),
    [
        ((("id", False),), (False,), '(t."id") > ($1::bigint)'),
        (
            (("title", True), ("id", True)),
            (False, False),
            '(t."title", t."id") < ($1::text, $2::bigint)',
        ),
        (
            (("title", False), ("id", True)),
            (False, False),
            '((t."title" > $1::text) OR (t."title" = $1::text AND t."id" < $2::bigint))',
        ),
        (
            (("price", False), ("id", False)),
            (False, False),
            (
                '(((t."price" > $1::numeric OR t."price" IS NULL)) OR '
                '(t."price" = $1::numeric AND t."id" > $2::bigint))'
            ),
        ),
        ((("price", False), ("id", False)), (True, False), '((t."price" IS NULL AND t."id" > $1::bigint))'),
    ],
)
def test_it_says_what_comes_behind_whatever_the_order(
    order: Order, nulls: tuple[bool, ...], text: str
) -> None:
    assert after(BOOK, order, nulls, "t", Parameters()) == text
