"""Relations: read in few statements whatever the number of rows, and part of the filter language."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from orm import FilterError, UniqueViolation, ValidationError
from tests.support.library import LIBRARY, Author, Book, Cover, Tag
from tests.support.models import ShopHome, shop


@pytest.fixture
async def home(database_url: str) -> AsyncIterator[ShopHome]:
    async with shop(database_url, models=LIBRARY) as home:
        yield home


async def link(home: ShopHome, book: int, *tags: int) -> None:
    for tag in tags:
        await home.db.fetch("INSERT INTO book_tags (book_id, tag_id) VALUES ($1, $2)", book, tag)


async def fill(home: ShopHome) -> None:
    """Ann taught Bob and wrote a1, a2, a3; Bob wrote b1; Cid wrote nothing. a1 is red and blue, b1 is
    red."""
    ann = await Author.create(name="Ann")
    bob = await Author.create(name="Bob", mentor_id=ann)
    await Author.create(name="Cid")
    ids = await Book.create_bulk(
        [{"title": f"a{n}", "pages": n, "author_id": ann} for n in (1, 2, 3)]
        + [{"title": "b1", "pages": 1, "author_id": bob}]
    )
    red, blue, _ = await Tag.create_bulk([{"name": "red"}, {"name": "blue"}, {"name": "unused"}])
    await link(home, ids[0], red, blue)
    await link(home, ids[3], red)


def plain(records: list[Any]) -> Any:
    """Records as dictionaries without ids, so that a test says what it means."""

    def strip(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: strip(one) for key, one in value.items() if key != "id"}
        return [strip(one) for one in value] if isinstance(value, list) else value

    return strip([record.as_dict() for record in records])


async def test_to_many_relations_are_lists_in_the_order_of_ids(home: ShopHome) -> None:
    await fill(home)
    assert plain(await Author.search(fields=["name", "books.title"])) == [
        {"name": "Ann", "books": [{"title": "a1"}, {"title": "a2"}, {"title": "a3"}]},
        {"name": "Bob", "books": [{"title": "b1"}]},
        {"name": "Cid", "books": []},
    ]
    assert plain(await Tag.search(fields=["name", "books.title"], order="name")) == [
        {"name": "blue", "books": [{"title": "a1"}]},
        {"name": "red", "books": [{"title": "a1"}, {"title": "b1"}]},
        {"name": "unused", "books": []},
    ]


async def test_a_relation_by_itself_is_its_ids(home: ShopHome) -> None:
    await fill(home)
    [book] = await Book.search([["title", "=", "a1"]], ["tags", "author_id"])
    assert [tag.id for tag in book.tags] == [1, 2]
    assert book.as_dict() == {"id": 1, "author_id": 1, "tags": [1, 2]}


async def test_paths_lead_through_both_kinds_of_relations(home: ShopHome) -> None:
    await fill(home)
    [bob] = await Author.search(
        [["name", "=", "Bob"]], ["mentor_id.name", "mentor_id.books.tags.name", "books.author_id.name"]
    )
    assert bob.mentor_id is not None
    assert [[tag.name for tag in book.tags] for book in bob.mentor_id.books] == [["red", "blue"], [], []]
    assert [book.author_id.name for book in bob.books] == ["Bob"]


async def test_nested_refines_each_parent_by_itself(home: ShopHome) -> None:
    await fill(home)
    nested = {"books": {"fields": ["title"], "filter": [["pages", ">", 1]], "order": "-pages", "limit": 1}}
    assert plain(await Author.search(fields=["name"], nested=nested)) == [
        {"name": "Ann", "books": [{"title": "a3"}]},
        {"name": "Bob", "books": []},
        {"name": "Cid", "books": []},
    ]
    deeper = {"books": {"nested": {"tags": {"fields": ["name"], "order": "-name"}}, "order": "title"}}
    [ann] = await Author.search([["name", "=", "Ann"]], [], nested=deeper)
    assert [[tag.name for tag in book.tags] for book in ann.books] == [["red", "blue"], [], []]


async def test_nested_adds_to_every_stored_field_where_no_fields_are_named(home: ShopHome) -> None:
    await fill(home)
    author = await Author.get(1, nested={"books": {"limit": 2}})
    assert author.name == "Ann"
    assert [(book.id, book.title, book.author_id.id) for book in author.books] == [(1, "a1", 1), (2, "a2", 1)]
    book = await Book.get(1, ["title"], nested={"author_id": {}})
    assert book.author_id.as_dict() == {"id": 1, "name": "Ann", "mentor_id": None}
    for fields, nested in ((["books"], {}), ((), {"books": {"fields": []}})):
        [ann] = await Author.search([["id", "=", 1]], fields, nested=nested)
        assert [book.as_dict() for book in ann.books] == [{"id": 1}, {"id": 2}, {"id": 3}]


@pytest.mark.parametrize("count", [1, 10, 1000])
async def test_the_number_of_statements_does_not_depend_on_the_number_of_rows(
    home: ShopHome, count: int
) -> None:
    author = await Author.create(name="Ann")
    await Book.create_bulk([{"title": str(n), "author_id": author} for n in range(count)])
    tag = await Tag.create(name="t")
    await home.db.fetch("INSERT INTO book_tags SELECT id, $1 FROM books", tag.id)
    questions: list[tuple[list[str], int]] = [
        (["title", "author_id.name", "author_id.mentor_id.name"], 1),
        (["title", "tags.name"], 2),
        (["title", "tags.name", "covers.colour"], 3),
        (["tags.books.title", "author_id.books.title"], 4),
    ]
    for fields, statements in questions:
        await Book.search(fields=fields)
        before = home.db.pool.round_trips
        assert len(await Book.search(fields=fields)) == count
        assert home.db.pool.round_trips - before == statements


@pytest.mark.parametrize(
    ("filter", "titles"),
    [
        ([["author_id.name", "=", "Ann"]], ["a1", "a2", "a3"]),
        ([["author_id.mentor_id.name", "=", "Ann"]], ["b1"]),
        ([["author_id.mentor_id.name", "!=", "Ann"]], ["a1", "a2", "a3"]),
        ([["tags.name", "=", "red"]], ["a1", "b1"]),
        ([["tags.name", "!=", "blue"]], ["a2", "a3", "b1"]),
        ([["tags", "=", 1]], ["a1", "b1"]),
        ([["tags", "in", [2]]], ["a1"]),
        ([["tags", "is null"]], ["a2", "a3"]),
        ([["tags", "!=", None]], ["a1", "b1"]),
        ([["author_id.books.tags.name", "=", "blue"]], ["a1", "a2", "a3"]),
        ([["not", ["tags.name", "in", ["red", "blue"]]]], ["a2", "a3"]),
    ],
)
async def test_a_positive_condition_means_some_related_row_and_its_complement_none(
    home: ShopHome, filter: list[Any], titles: list[str]
) -> None:
    await fill(home)
    assert [book.title for book in await Book.search(filter, order="title")] == titles


@pytest.mark.parametrize(
    ("arguments", "pointer"),
    [
        ({"fields": ["books.nothing"]}, "/1"),
        ({"fields": ["name.length"]}, "not"),
        ({"nested": {"name": {}}}, "/name"),
        ({"nested": {"name": {"filter": []}}}, "/name"),
        ({"nested": {"nothing": {}}}, "/nothing"),
        ({"nested": {"books": []}}, "/books"),
        ({"nested": {"books": {"offset": 1}}}, "/books/offset"),
        ({"nested": {"books": {"limit": 0}}}, "/books/limit"),
        ({"nested": {"books": {"filter": [["x", "=", 1]]}}}, "/books/filter/0/0"),
        ({"nested": {"books": {"order": "tags"}}}, "/books/order"),
        ({"nested": {"books.tags": {"limit": 1}}}, "/books.tags"),
        ({"fields": [".".join(["books.author_id"] * 6)]}, "deep"),
    ],
)
async def test_a_question_that_cannot_be_is_refused(
    home: ShopHome, arguments: dict[str, Any], pointer: str
) -> None:
    with pytest.raises(FilterError):
        await Author.search(**arguments)


async def test_a_one_to_one_relation_is_not_shared(home: ShopHome) -> None:
    await fill(home)
    await Cover.create(colour="red", book_id=1)
    with pytest.raises(UniqueViolation, match="another Cover has this book_id"):
        await Cover.create(colour="blue", book_id=1)


async def test_a_computed_column_follows_its_row_and_is_never_written(home: ShopHome) -> None:
    author = await Author.create(name="Ann")
    book = await Book.create(title="a", pages=3, price="2.50", author_id=author)
    assert str(book.value) == "7.50"
    await book.update(pages=4)
    await book.refresh()
    assert str(book.value) == "10.00"
    assert await Book.search_count([["value", ">", 9]]) == 1
    with pytest.raises(ValidationError, match="computed by the database"):
        await book.update(value=1)


async def test_rows_of_a_link_go_with_either_side(home: ShopHome) -> None:
    await fill(home)
    await (await Tag.get(1)).delete()
    await Book.delete_bulk([["title", "=", "a1"]])
    assert await home.db.fetchval("SELECT count(*) FROM book_tags") == 0
