"""Rules that only a written row can answer: about its id, its computed columns, the rows that hang on it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from orm import AccessDenied, Grant, ModelMeta, Operation, context
from orm.access import bind_asker, reset_asker
from orm.filters.parse import parse_filter
from tests.support.library import LIBRARY, Author, Book, Tag
from tests.support.models import shop


class Rules:
    """A policy: a rule for books, anything for others."""

    def __init__(self) -> None:
        self.rule: list[Any] = []

    def grant(self, asker: object | None, model: ModelMeta, operation: Operation) -> Grant:
        """See AccessPolicy."""
        if model.table != "books" or not self.rule or operation == "read":
            return Grant()
        return Grant(parse_filter(model, self.rule))


@pytest.fixture
async def rules(database_url: str) -> AsyncIterator[Rules]:
    async with shop(database_url, models=LIBRARY) as home:
        await Author.create(name="a")
        await Tag.create_bulk([{"name": "red"}, {"name": "blue"}])
        home.policy = rules = Rules()
        token = bind_asker("somebody")
        yield rules
        reset_asker(token)


async def titles() -> list[str]:
    return [book.title for book in await Book.search(order="title")]


def book(title: str, price: int, **more: Any) -> dict[str, Any]:
    return {"title": title, "price": price, "pages": 10, "author_id": 1, **more}


async def test_a_computed_column_of_a_new_row(rules: Rules) -> None:
    rules.rule = [["value", "<=", 100]]
    await Book.create(book("cheap", 10))
    with pytest.raises(AccessDenied, match="do not let you create such a Book"):
        await Book.create(book("dear", 11))
    with pytest.raises(AccessDenied) as denied:
        await Book.create_bulk([book("b", 1), book("c", 50)])
    assert await titles() == ["cheap"]
    assert denied.value.detail
    assert len(await Book.create_bulk([book("b", 1), book("c", 2)])) == 2


async def test_the_id_of_a_new_row(rules: Rules) -> None:
    rules.rule = [["id", "<=", 1]]
    await Book.create(book("first", 1))
    with pytest.raises(AccessDenied):
        await Book.create(book("second", 1))
    assert await titles() == ["first"]


async def test_rows_that_hang_on_a_new_row_are_written_before_it_is_judged(rules: Rules) -> None:
    rules.rule = [["tags.name", "=", "red"]]
    created = await Book.create(book("tagged", 1, tags={"link": [1]}))
    for tags in ({}, {"tags": {"link": [2]}}):
        with pytest.raises(AccessDenied):
            await Book.create(book("untagged", 1, **tags))
    assert await titles() == ["tagged"]
    assert created.title == "tagged"


async def test_a_computed_column_of_a_changed_row(rules: Rules) -> None:
    rules.rule = [["value", "<=", 100]]
    kept = await Book.create(book("a", 10))
    await Book.create(book("b", 2))
    await kept.update(price=9)
    with pytest.raises(AccessDenied, match="this Book become"):
        await kept.update(price=11)
    with pytest.raises(AccessDenied, match="2 Book rows become"):
        await Book.update_bulk((), all=True, price=11)
    with pytest.raises(AccessDenied):
        await Book.update_bulk((), all=True, pages=20)
    assert [(int(one.price or 0), one.pages) for one in await Book.search(order="title")] == [
        (9, 10),
        (2, 10),
    ]
    assert await Book.update_bulk((), all=True, price=3) == 2


async def test_inside_a_transaction_the_refused_row_alone_is_undone(rules: Rules) -> None:
    rules.rule = [["value", "<=", 100]]
    async with context.current().db.transaction():
        await Book.create(book("a", 10))
        with pytest.raises(AccessDenied):
            await Book.create(book("b", 11))
    assert await titles() == ["a"]
