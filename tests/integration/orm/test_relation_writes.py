"""Writing rows with what hangs on them: one transaction, every command, and the asker's rights at every
node."""

import decimal
from collections.abc import AsyncIterator
from typing import Any

import pytest

from orm import (
    AccessDenied,
    FieldNotLoaded,
    Grant,
    ModelMeta,
    Operation,
    RecordNotFound,
    UniqueViolation,
    ValidationError,
)
from orm.access import bind_asker, reset_asker
from orm.filters.parse import parse_filter
from tests.support.library import LIBRARY, Author, Book, Tag
from tests.support.models import ShopHome, shop


@pytest.fixture
async def home(database_url: str) -> AsyncIterator[ShopHome]:
    async with shop(database_url, models=LIBRARY) as home:
        yield home


async def titles(author: Author) -> list[str]:
    return [book.title for book in await Book.search([["author_id", "=", author]], order="title")]


async def tags(book: Book) -> list[str]:
    return [tag.name for tag in await Tag.search([["books", "=", book.id]], order="name")]


async def test_a_tree_is_created_at_once(home: ShopHome) -> None:
    blue = await Tag.create(name="blue")
    author = await Author.create(
        name="Ann",
        books={
            "create": [{"title": "a", "tags": {"link": [blue], "create": [{"name": "red"}]}}, {"title": "b"}]
        },
        pupils={"create": [{"name": "Bob", "books": {"create": [{"title": "c"}]}}]},
    )
    [book] = await Book.search([["title", "=", "a"]])
    assert await titles(author) == ["a", "b"]
    assert await tags(book) == ["blue", "red"]
    [bob] = await Author.search([["mentor_id", "=", author]], ["name", "books.title"])
    assert [one.title for one in bob.books] == ["c"]


async def test_every_command_on_rows_that_refer_here(home: ShopHome) -> None:
    ann = await Author.create(name="Ann", books={"create": [{"title": "a"}, {"title": "b"}]})
    bob = await Author.create(name="Bob", books={"create": [{"title": "x"}]})
    [a, b] = await Book.search([["author_id", "=", ann]], order="title")
    [x] = await Book.search([["author_id", "=", bob]])
    await ann.update(
        name="Anna",
        books={
            "link": [x],
            "update": [{"id": a.id, "pages": 7}],
            "delete": [b.id],
            "create": [{"title": "n"}],
        },
    )
    assert await titles(ann) == ["a", "n", "x"]
    assert (await a.refresh()).pages == 7
    assert (await Author.get(ann.id)).name == "Anna"

    await ann.update(pupils={"link": [bob.id]})
    await ann.update(pupils={"unlink": [bob.id]})
    assert (await bob.refresh()).mentor_id is None
    cid = await Author.create(name="Cid", mentor_id=ann)
    await ann.update(pupils={"set": [bob]})
    assert (await bob.refresh()).mentor_id == ann
    assert (await cid.refresh()).mentor_id is None


async def test_every_command_on_linked_rows(home: ShopHome) -> None:
    author = await Author.create(name="Ann")
    book = await Book.create(title="a", author_id=author)
    red, blue, green = [await Tag.create(name=name) for name in ("red", "blue", "green")]
    await book.update(tags={"link": [red, blue.id]})
    await book.update(tags={"link": [red]})
    assert await tags(book) == ["blue", "red"]
    await book.update(tags={"set": [blue.id, green.id]})
    assert await tags(book) == ["blue", "green"]
    await book.update(tags={"update": [{"id": green.id, "name": "lime"}], "unlink": [blue.id]})
    assert await tags(book) == ["lime"]
    await red.update(books={"link": [book]})
    assert await tags(book) == ["lime", "red"]
    await book.update(tags={"delete": [green.id]})
    assert await Tag.search_count([["name", "=", "lime"]]) == 0
    await book.update(tags={"set": []})
    assert await tags(book) == []


@pytest.mark.parametrize(
    ("change", "error", "pointer"),
    [
        ({"books": [1]}, ValidationError, "/books"),
        ({"books": {"explode": [1]}}, ValidationError, "/books/explode"),
        ({"books": {"link": 1}}, ValidationError, "/books/link"),
        ({"books": {"link": ["1"]}}, ValidationError, "/books/link/0"),
        ({"books": {"link": [True]}}, ValidationError, "/books/link/0"),
        ({"books": {"link": [999]}}, RecordNotFound, "/books/link/0"),
        ({"books": {"create": [5]}}, ValidationError, "/books/create/0"),
        ({"books": {"create": [{"title": "ok"}, {"pages": 1}]}}, ValidationError, "/books/create/1/title"),
        (
            {"books": {"create": [{"title": "x", "author_id": 1}]}},
            ValidationError,
            "/books/create/0/author_id",
        ),
        (
            {"books": {"create": [{"title": "x", "tags": {"link": [9]}}]}},
            RecordNotFound,
            "/books/create/0/tags/link/0",
        ),
        ({"books": {"update": [{"pages": 1}]}}, ValidationError, "/books/update/0/id"),
        ({"books": {"update": [{"id": 1, "pages": "x"}]}}, ValidationError, "/books/update/0/pages"),
        ({"books": {"update": [{"id": 2, "pages": 1}]}}, RecordNotFound, "/books/update/0"),
        ({"books": {"delete": [1, 2]}}, RecordNotFound, "/books/delete/1"),
        ({"books": {"unlink": [1]}}, ValidationError, "/books/unlink"),
        ({"books": {"link": list(range(1001))}}, ValidationError, "/books/link"),
        (
            {"pupils": {"create": [{"name": "P"}]}, "books": {"create": [{}]}},
            ValidationError,
            "/books/create/0/title",
        ),
    ],
)
async def test_what_cannot_be_written_leaves_nothing_and_names_its_place(
    home: ShopHome, change: dict[str, Any], error: type[Exception], pointer: str
) -> None:
    ann = await Author.create(name="Ann", books={"create": [{"title": "mine"}]})
    await Author.create(name="Bob", books={"create": [{"title": "his"}]})
    with pytest.raises(error) as refusal:
        await ann.update(name="Changed", **change)
    assert refusal.value.errors[0].pointer == pointer  # type: ignore[attr-defined]
    assert [author.name for author in await Author.search(order="id")] == ["Ann", "Bob"]
    assert [book.title for book in await Book.search(order="id")] == ["mine", "his"]


async def test_a_record_is_the_payload_of_a_command(home: ShopHome) -> None:
    ann = await Author.create(name="Ann", books={"create": [Book(title="a"), {"title": "b"}]})
    [a, _] = await Book.search([["author_id", "=", ann]], order="title")
    await ann.update(books={"update": [Book(id=a.id, title="c")]})
    assert await titles(ann) == ["b", "c"]


async def test_a_relation_that_was_written_is_no_longer_loaded(home: ShopHome) -> None:
    await Author.create(name="Ann")
    [ann] = await Author.search(fields=["name", "books.title"])
    assert ann.books == []
    await ann.update(books={"create": [{"title": "a"}]})
    with pytest.raises(FieldNotLoaded):
        _ = ann.books
    assert [book.title for book in (await ann.refresh(["books.title"])).books] == ["a"]


async def test_what_is_computed_is_loaded_anew_when_its_row_changes(home: ShopHome) -> None:
    ann = await Author.create(name="Ann")
    book = await Book.create(title="a", price="2.50", pages=4, author_id=ann)
    await book.update(pages=2)
    assert book.value == decimal.Decimal("5.00")
    assert await Book.aggregate(values={"total": ("sum", "value")}) == [{"total": book.value}]


async def test_to_unlink_what_is_not_linked_is_no_error(home: ShopHome) -> None:
    blue = await Tag.create(name="blue")
    ann = await Author.create(name="Ann", books={"create": [{"title": "a"}]})
    bob = await Author.create(name="Bob", mentor_id=ann)
    cid = await Author.create(name="Cid", pupils={"unlink": []})
    await cid.update(pupils={"unlink": [bob, 999]})
    assert (await bob.refresh()).mentor_id == ann
    [book] = await Book.search()
    await book.update(tags={"unlink": [blue, 999]})


async def test_a_failure_in_the_database_undoes_the_whole_tree(home: ShopHome) -> None:
    await Tag.create(name="red")
    with pytest.raises(UniqueViolation) as refusal:
        await Author.create(
            name="Ann", books={"create": [{"title": "a", "tags": {"create": [{"name": "red"}]}}]}
        )
    assert refusal.value.errors[0].pointer == "/books/create/0/tags/create/0/name"
    assert await Author.search_count() == await Book.search_count() == 0


class OwnBooksOnly:
    """Books whose title begins with "my" are all that exists; authors may be changed, tags only read."""

    def grant(self, asker: object | None, model: ModelMeta, operation: Operation) -> Grant:
        if model.table == "books":
            return Grant(rule=parse_filter(model, [["title", "like", "my%"]]))
        if model.table == "tags" and operation != "read":
            raise AccessDenied(f"tags.{operation}")
        return Grant()


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"books": {"create": [{"title": "other"}]}}, AccessDenied),
        ({"books": {"update": [{"id": 1, "title": "other"}]}}, AccessDenied),
        ({"books": {"update": [{"id": 2, "pages": 1}]}}, RecordNotFound),
        ({"books": {"delete": [2]}}, RecordNotFound),
        ({"books": {"link": [3]}}, RecordNotFound),
        ({"books": {"update": [{"id": 1, "tags": {"create": [{"name": "new"}]}}]}}, AccessDenied),
        ({"books": {"update": [{"id": 1, "tags": {"update": [{"id": 1, "name": "n"}]}}]}}, AccessDenied),
    ],
)
async def test_the_rights_of_the_asker_hold_at_every_node(
    home: ShopHome, change: dict[str, Any], error: type[Exception]
) -> None:
    ann = await Author.create(name="Ann", books={"create": [{"title": "my a"}, {"title": "a"}]})
    await Author.create(name="Bob", books={"create": [{"title": "b"}]})
    await (await Book.get(1)).update(tags={"create": [{"name": "red"}]})
    before = await home.db.fetch("SELECT * FROM books ORDER BY id")
    home.policy = OwnBooksOnly()
    token = bind_asker("somebody")
    try:
        with pytest.raises(error):
            await ann.update(**change)
        await ann.update(books={"update": [{"id": 1, "pages": 3, "tags": {"set": []}}]})
    finally:
        reset_asker(token)
        home.policy = None
    after = await home.db.fetch("SELECT * FROM books ORDER BY id")
    assert [row["title"] for row in after] == [row["title"] for row in before]
    assert [row["author_id"] for row in after] == [row["author_id"] for row in before]


async def test_set_leaves_alone_what_the_asker_cannot_see(home: ShopHome) -> None:
    ann = await Author.create(name="Ann", books={"create": [{"title": "my a"}, {"title": "hidden"}]})
    tag = await Tag.create(name="red", books={"link": [1, 2]})
    home.policy = OwnBooksOnly()
    token = bind_asker("somebody")
    try:
        with pytest.raises(AccessDenied):
            await tag.update(books={"set": []})
        await ann.update(pupils={"set": []})
    finally:
        reset_asker(token)
        home.policy = None
    assert await Book.search_count([["tags", "=", tag.id]]) == 2
