"""References that a client of the API writes: to a row that he does not see they are refused as if there were
none."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from orm import AccessDenied, ForeignKeyViolation, Grant, ModelMeta, Operation
from orm.access import bind_asker, reset_asker
from orm.errors import Problem
from orm.filters.parse import parse_filter
from orm.verbs.create import create_row, create_rows
from orm.verbs.update import update_many, update_row
from orm.verbs.upsert import upsert
from tests.support.ledger import LEDGER, Account
from tests.support.library import LIBRARY, Author, Book, Cover, Tag
from tests.support.models import ShopHome, shop

SEEN, HIDDEN, ABSENT = 1, 2, 999


class Readers:
    """A policy: authors and accounts called "seen" may be read, and nothing else narrows anything. In `blind`
    tables nothing may be read at all; `rule` is one for writing books, and `hides_books` that called "b"."""

    def __init__(self) -> None:
        self.blind: set[str] = set()
        self.rule: list[Any] = []
        self.hides_books = False

    def grant(self, asker: object | None, model: ModelMeta, operation: Operation) -> Grant:
        """See AccessPolicy."""
        if operation == "read" and model.table in self.blind:
            raise AccessDenied("no right")
        if operation == "read" and model.table in ("authors", "accounts"):
            return Grant(parse_filter(model, [["name", "=", "seen"]]))
        if operation == "read" and model.table == "books":
            return Grant(parse_filter(model, [["title", "!=", "b"]])) if self.hides_books else Grant()
        if operation != "read" and model.table == "books" and self.rule:
            return Grant(parse_filter(model, self.rule))
        return Grant()


@pytest.fixture
async def home(database_url: str) -> AsyncIterator[ShopHome]:
    async with shop(database_url, models={**LIBRARY, **LEDGER}) as home:
        for cls in (Author, Account):
            await cls.create_bulk([{"name": "seen"}, {"name": "hidden"}])
        await Book.create_bulk([{"title": "a", "author_id": SEEN}, {"title": "b", "author_id": HIDDEN}])
        home.policy = Readers()
        token = bind_asker("somebody")
        yield home
        reset_asker(token)


def book(author: int, title: str = "n", **more: Any) -> dict[str, Any]:
    return {"title": title, "author_id": author, **more}


Write = Callable[[int], Awaitable[Any]]

WRITES: dict[str, tuple[Write, str]] = {
    "a new row": (lambda a: create_row(Book, book(a)), ""),
    "many new rows": (lambda a: create_rows(Book, [book(SEEN), book(a)]), "/1"),
    "new rows of several shapes": (lambda a: create_rows(Book, [book(SEEN, pages=1), book(a)]), "/1"),
    "a new row with others": (lambda a: create_row(Book, book(a, tags={"create": [{"name": "t"}]})), ""),
    "a row behind a relation": (
        lambda a: create_row(Tag, {"name": "t", "books": {"create": [book(a)]}}),
        "/books/create/0",
    ),
    "a changed row": (lambda a: update_row(Book, 1, {"author_id": a}), ""),
    "a changed row with others": (
        lambda a: update_row(Book, 1, {"author_id": a, "tags": {"create": [{"name": "t"}]}}),
        "",
    ),
    "many changed rows": (lambda a: update_many(Book, (), {"author_id": a}, True, api=True), ""),
}


async def refusal(write: Write, author: int) -> tuple[Any, ...]:
    with pytest.raises(Problem) as refused:
        await write(author)
    places = [(place.pointer, place.code, place.message) for place in refused.value.errors]
    return type(refused.value), refused.value.detail, places


async def books(home: ShopHome) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await home.db.fetch("SELECT title, author_id FROM books ORDER BY id")]


@pytest.mark.parametrize("name", WRITES)
async def test_a_hidden_row_and_none_are_refused_alike_and_a_seen_one_is_not(
    home: ShopHome, name: str
) -> None:
    write, pointer = WRITES[name]
    before = await books(home)
    kind, detail, places = await refusal(write, HIDDEN)
    assert (kind, detail) == (ForeignKeyViolation, "Book.author_id refers to a row that does not exist")
    assert places == [(f"{pointer}/author_id", "foreign_key", detail)]
    assert await refusal(write, ABSENT) == (kind, detail, places)
    assert await books(home) == before
    await write(SEEN)


@pytest.mark.parametrize("author", [HIDDEN, ABSENT, SEEN])
async def test_who_reads_nothing_of_a_model_refers_to_nothing_of_it(home: ShopHome, author: int) -> None:
    assert isinstance(home.policy, Readers)
    home.policy.blind = {"authors"}
    with pytest.raises(ForeignKeyViolation):
        await create_row(Book, book(author))


async def test_a_reference_that_is_there_already_may_be_sent_back(home: ShopHome) -> None:
    _, row = await update_row(Book, 2, {"title": "c", "author_id": HIDDEN})
    assert row["title"] == "c"
    assert await update_many(Book, [["id", "=", 2]], {"author_id": HIDDEN, "pages": 5}, False, api=True) == 1
    with pytest.raises(ForeignKeyViolation):  # the first book has another one
        await update_many(Book, (), {"author_id": HIDDEN}, True, api=True)
    assert await books(home) == [("a", SEEN), ("c", HIDDEN)]


async def test_the_rule_of_the_row_itself_is_asked_as_well(home: ShopHome) -> None:
    assert isinstance(home.policy, Readers)
    home.policy.rule = [["pages", ">", 10]]
    with pytest.raises(AccessDenied):
        await create_row(Book, book(SEEN, pages=5))
    with pytest.raises(AccessDenied):
        await update_row(Book, 1, {"author_id": SEEN, "pages": 5})
    await create_row(Book, book(SEEN, pages=50))


async def test_it_is_the_statement_itself_that_asks(home: ShopHome) -> None:
    writes: list[Write] = [WRITES["a new row"][0], WRITES["a changed row"][0]]
    for write in writes:
        await write(SEEN)
        before = home.db.pool.round_trips
        await write(SEEN)
        assert home.db.pool.round_trips - before == 1


async def test_the_program_may_refer_to_what_the_asker_does_not_see(home: ShopHome) -> None:
    created = await Book.create(title="n", author_id=HIDDEN)
    await created.update(author_id=SEEN)
    await Book.update_bulk((), all=True, author_id=HIDDEN)


async def test_what_a_hook_refers_to_is_not_asked_about(
    home: ShopHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hangs_it_on_the_hidden(cls: Any, *arguments: Any) -> None:
        for values in arguments[-1] if isinstance(arguments[-1], list) else [arguments[-1]]:
            values["author_id"] = HIDDEN

    composed = home.registry.of(Book).cls
    for name in ("before_create", "before_update"):
        monkeypatch.setattr(composed, name, classmethod(hangs_it_on_the_hidden))
    meta = home.registry.of(Book)
    monkeypatch.setattr(meta, "hooks", frozenset({"before_create", "before_update"}))
    meta.__dict__.pop("attended", None)
    await create_row(Book, book(SEEN))
    await create_rows(Book, [book(SEEN), book(SEEN)])
    await update_row(Book, 1, {"title": "x"})
    await update_many(Book, [["id", "=", 1]], {"title": "y"}, False, api=True)
    assert {author for _, author in await books(home)} == {HIDDEN}
    for write in (
        create_row(Book, book(HIDDEN)),
        create_rows(Book, [book(SEEN), book(ABSENT)]),
        update_many(Book, [["id", "=", 1]], {"author_id": ABSENT}, False, api=True),
    ):
        with pytest.raises(ForeignKeyViolation):
            await write
    await update_row(Book, 1, {"author_id": HIDDEN})  # as it is already


async def test_an_upsert_asks_too(home: ShopHome) -> None:
    assert isinstance(home.policy, Readers)
    home.policy.hides_books = True
    for category in (HIDDEN, ABSENT):
        with pytest.raises(ForeignKeyViolation) as refused:
            await upsert(Cover, [{"colour": "red", "book_id": category}], ["book_id"], api=True)
        assert [place.pointer for place in refused.value.errors] == ["/0/book_id"]


async def test_links_to_rows_that_one_does_not_see_stay(home: ShopHome) -> None:
    tag = await Tag.create(name="t", books={"link": [1, 2]})
    assert isinstance(home.policy, Readers)
    home.policy.hides_books = True
    await update_row(Tag, tag.id, {"books": {"unlink": [1, 2]}})
    await update_row(Tag, tag.id, {"books": {"set": []}})
    assert [row[0] for row in await home.db.fetch("SELECT book_id FROM book_tags")] == [2]
    for command in ({"update": [{"id": 2, "title": "x"}]}, {"delete": [2]}):
        with pytest.raises(Problem) as hidden:
            await update_row(Tag, tag.id, {"books": command})
        other = {"update": [{"id": 77, "title": "x"}]} if "update" in command else {"delete": [77]}
        with pytest.raises(Problem) as absent:
            await update_row(Tag, tag.id, {"books": other})
        assert hidden.value.detail == absent.value.detail.replace("77", "2")
        assert hidden.value.errors[0].pointer == absent.value.errors[0].pointer
