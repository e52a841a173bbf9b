"""Whatever stands where a name or a value is expected: it is refused with a sentence, or taken literally.

Every statement that goes to the server is recorded. A name that is none sends nothing; a value, whatever it
is, sends the very text that a harmless value sends."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Any, Final

import pytest

from orm import FilterError, UsageError, ValidationError
from orm.errors import Problem
from orm.link import Link
from tests.support.hostile import NAMES, TEXTS, VALUES, Ask, Disguised, Word, ask, nested, short
from tests.support.library import LIBRARY, Author, Book, Tag
from tests.support.models import SHOP, Category, Product, ShopHome, shop


@pytest.fixture
async def home(database_url: str) -> AsyncIterator[ShopHome]:
    async with shop(database_url, models={**SHOP, **LIBRARY}) as home:
        category = await Category.create(name="c")
        await Product.create(name="p", category_id=category)
        await Book.create(title="b", author_id=await Author.create(name="a"))
        await Tag.create(name="t")
        yield home


@pytest.fixture
def sent(home: ShopHome, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts of the statements that were sent, as they are sent."""
    texts: list[str] = []
    for name in ("fetch", "command", "open_cursor"):
        method = getattr(Link, name)

        async def recorded(self: Link, text: str, *values: Any, method: Any = method) -> Any:
            texts.append(text)
            return await method(self, text, *values)

        monkeypatch.setattr(Link, name, recorded)
    return texts


# -- names ----------------------------------------------------------------------------------------------


async def product() -> Product:
    return (await Product.search(limit=1))[0]


async def author() -> Author:
    return (await Author.search(limit=1))[0]


async def change_many(values: dict[str, Any]) -> int:
    return await Product.update_bulk([["stock", "=", 1]], **values)


async def drain(rows: Any) -> None:
    async for _ in rows:
        pass


NAME_POSITIONS: Final[Mapping[str, Callable[[Product, Author], Ask]]] = {
    "the field of a filter": lambda p, a: lambda n: Product.search([[n, "=", "x"]]),
    "the end of a path": lambda p, a: lambda n: Product.search([[f"category_id.{n}", "=", "x"]]),
    "the start of a path": lambda p, a: lambda n: Product.search([[f"{n}.name", "=", "x"]]),
    "an operator": lambda p, a: lambda n: Product.search([["name", n, "x"]]),
    "the word of a group": lambda p, a: lambda n: Product.search([[n, ["name", "=", "x"]]]),
    "what is allowed": lambda p, a: lambda n: Product.search([["category_id", "allowed", n]]),
    "a filter of a count": lambda p, a: lambda n: Product.search_count([[n, "=", "x"]]),
    "a filter of exists": lambda p, a: lambda n: Product.exists([[n, "=", "x"]]),
    "fields": lambda p, a: lambda n: Product.search((), [n]),
    "fields of a joined row": lambda p, a: lambda n: Product.search((), [f"category_id.{n}"]),
    "fields of rows that hang on it": lambda p, a: lambda n: Author.search((), [f"books.{n}"]),
    "fields of one row": lambda p, a: lambda n: Product.get(p.id, [n]),
    "fields of a refresh": lambda p, a: lambda n: p.refresh([n]),
    "a relation to refine": lambda p, a: lambda n: Author.search(nested={n: {}}),
    "an option of it": lambda p, a: lambda n: Author.search(nested={"books": {n: 1}}),
    "its fields": lambda p, a: lambda n: Author.search(nested={"books": {"fields": [n]}}),
    "its order": lambda p, a: lambda n: Author.search(nested={"books": {"order": n}}),
    "its filter": lambda p, a: lambda n: Author.search(nested={"books": {"filter": [[n, "=", 1]]}}),
    "an order": lambda p, a: lambda n: Product.search(order=n),
    "a descending order": lambda p, a: lambda n: Product.search(order=["name", f"-{n}"]),
    "an order of an iteration": lambda p, a: lambda n: drain(Product.iterate(order=n)),
    "a group": lambda p, a: lambda n: Product.aggregate((), [n]),
    "a unit of time": lambda p, a: lambda n: Product.aggregate((), [f"created_at:{n}"]),
    "a function": lambda p, a: lambda n: Product.aggregate((), (), {"v": (n, "price")}),
    "the field of a function": lambda p, a: lambda n: Product.aggregate((), (), {"v": ("count", n)}),
    "a lock": lambda p, a: lambda n: Product.get(p.id, lock=n),
    "a new row": lambda p, a: lambda n: Product.create({"name": "x", n: 1}),
    "many new rows": lambda p, a: lambda n: Product.create_bulk([{"name": "x", n: 1}]),
    "an upserted row": lambda p, a: lambda n: Tag.upsert([{"name": "x", n: 1}], on=["name"]),
    "the key of an upsert": lambda p, a: lambda n: Tag.upsert([{"name": "x"}], on=[n]),
    "a change": lambda p, a: lambda n: p.update({n: 1}),
    "a change of many": lambda p, a: lambda n: Product.update_bulk((), all=True, **{n: 1}),
    "a filter of a change": lambda p, a: lambda n: Product.update_bulk([[n, "=", 1]], name="x"),
    "a filter of a deletion": lambda p, a: lambda n: Product.delete_bulk([[n, "=", 1]]),
    "a command of a relation": lambda p, a: lambda n: a.update(books={n: []}),
}


async def test_a_name_that_is_none_is_refused_and_nothing_is_sent(home: ShopHome, sent: list[str]) -> None:
    first, writer = await product(), await author()
    wrong = []
    for position, make in NAME_POSITIONS.items():
        question = make(first, writer)
        for name in NAMES:
            outcome = await ask(sent, question, name)
            if not isinstance(outcome.error, Problem | UsageError) or outcome.texts:
                wrong.append((position, short(name), outcome))
    assert wrong == []


# -- texts ----------------------------------------------------------------------------------------------

TEXT_POSITIONS: Final[Mapping[str, Ask]] = {
    "=": lambda v: Product.search([["name", "=", v]]),
    "!=": lambda v: Product.search([["note", "!=", v]]),
    "<": lambda v: Product.search([["name", "<", v]]),
    "in": lambda v: Product.search([["note", "in", [v, "x"]]]),
    "between": lambda v: Product.search([["name", "between", [v, v]]]),
    "like": lambda v: Product.search([["name", "like", v]]),
    "not ilike": lambda v: Product.search([["note", "not ilike", v]]),
    "a selection": lambda v: Product.search([["kind", "=", v]]),
    "behind a path": lambda v: Product.search([["category_id.name", "=", v]]),
    "JSON": lambda v: Product.search([["data", "contains", v]]),
    "a value in JSON": lambda v: Product.search([["data", "contains", {"a": [v]}]]),
    "a key in JSON": lambda v: Product.search([["data", "contains", {v: 1}]]),
    "a filter of rows that hang on it": lambda v: Author.search(
        nested={"books": {"filter": [["title", "=", v]]}}
    ),
    "a cursor": lambda v: Product.search(limit=1, after=v),
    "the name of a figure": lambda v: Product.aggregate((), (), {v: ("count", "id")}),
    "an iteration": lambda v: drain(Product.iterate([["name", "=", v]])),
    "a new row": lambda v: Product.create(name=v, note=v, secret=v),
    "a new row's JSON": lambda v: Product.create(name="x", data={"a": v}),
    "many new rows": lambda v: Product.create_bulk([{"name": v, "note": v}, {"name": "x"}]),
    "a selection to write": lambda v: Product.create(name="x", kind=v),
    "a pattern to match": lambda v: Product.create(name="x", code=v),
    "an upserted row": lambda v: Tag.upsert([{"name": v}], on=["name"]),
    "a change of many": lambda v: Product.update_bulk([["name", "=", "x"]], note=v),
    "rows that hang on it": lambda v: Author.create(name="x", books={"create": [{"title": v}]}),
}


async def test_a_text_never_changes_the_statement_that_it_is_a_value_of(
    home: ShopHome, sent: list[str]
) -> None:
    wrong = []
    for position, question in TEXT_POSITIONS.items():
        allowed = {"ROLLBACK"}
        for tame in ("tame", "TAME", "good"):
            allowed.update((await ask(sent, question, tame)).texts)
        for text in TEXTS:
            outcome = await ask(sent, question, text)
            if not outcome.is_ours or not allowed.issuperset(outcome.texts):
                wrong.append((position, short(text), outcome))
    assert wrong == []


async def test_a_text_is_stored_and_found_as_it_is(home: ShopHome, sent: list[str]) -> None:
    storable = [text for text in TEXTS if text.isprintable() or text == "\r\n\t\b"]
    for text in storable:
        made = await Product.create(name="stored", note=text, data={text: [text]})
        assert (made.note, made.data) == (text, {text: [text]})
        for condition in (["note", "=", text], ["note", "in", [text]], ["data", "contains", {text: [text]}]):
            assert [found.id for found in await Product.search([condition], ["id"])] == [made.id]
        pattern = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        assert [found.id for found in await Product.search([["note", "like", pattern]], ["id"])] == [made.id]
    assert len(storable) > 30
    assert await Product.search_count() == 1 + len(storable)


# -- types ----------------------------------------------------------------------------------------------


async def test_json_that_is_nested_too_deeply_is_refused(home: ShopHome) -> None:
    record, deep = await product(), nested(100_000)
    with pytest.raises(ValidationError, match="is no JSON value"):
        await record.update(data=deep)
    with pytest.raises(FilterError, match="is no JSON value"):
        await Product.search([["data", "contains", deep]])
    with pytest.raises(FilterError):
        await Author.search(nested={"books": {"filter": deep}})


WAYS_TO_COMPARE: Final[Mapping[str, Callable[[str, Any], list[Any]]]] = {
    "=": lambda name, value: [name, "=", value],
    "!=": lambda name, value: [name, "!=", value],
    "<": lambda name, value: [name, "<", value],
    "in": lambda name, value: [name, "in", value],
    "in a list": lambda name, value: [name, "in", [value]],
    "between": lambda name, value: [name, "between", value],
    "between two": lambda name, value: [name, "between", [value, value]],
    "like": lambda name, value: [name, "like", value],
    "contains": lambda name, value: [name, "contains", value],
}


async def refused_or_literal(
    sent: list[str], positions: Mapping[str, Ask], values: Iterable[Any], *, shapes: int = 2
) -> list[Any]:
    """The outcomes that are wrong. Each position may send statements of so many shapes: with and without a
    null."""
    wrong: list[Any] = []
    for position, question in positions.items():
        texts: set[tuple[str, ...]] = set()
        for value in values:
            outcome = await ask(sent, question, value)
            texts.add(tuple(outcome.texts))
            if not outcome.is_ours:
                wrong.append((position, short(value), outcome))
        texts.discard(())
        if len(texts) > shapes:
            wrong.append((position, texts))
    return wrong


@pytest.mark.parametrize("way", WAYS_TO_COMPARE)
async def test_a_value_of_any_type_is_compared_or_refused(home: ShopHome, sent: list[str], way: str) -> None:
    def compare(name: str) -> Ask:
        return lambda value: Product.search([WAYS_TO_COMPARE[way](name, value)], ["id"])

    wrong = await refused_or_literal(sent, {name: compare(name) for name in Product.__fields__}, VALUES)
    assert wrong == []


async def test_a_value_of_any_type_is_written_or_refused(home: ShopHome, sent: list[str]) -> None:
    record = await product()

    def writes(name: str) -> dict[str, Ask]:
        return {
            f"create {name}": lambda value: Product.create({"name": "x", name: value}),
            f"create many {name}": lambda value: Product.create_bulk([{"name": "x", name: value}]),
            f"update {name}": lambda value: record.update({name: value}),
            f"update many {name}": lambda value: Product.update_bulk([["stock", "=", 1]], **{name: value}),
        }

    for name in Product.__fields__:
        if name != "id":
            assert await refused_or_literal(sent, writes(name), VALUES) == []


async def test_an_argument_of_any_type_is_taken_or_refused(home: ShopHome, sent: list[str]) -> None:
    record, writer = await product(), await author()
    positions: dict[str, Ask] = {
        "filter": Product.search,
        "condition": lambda v: Product.search([v]),
        "field of a condition": lambda v: Product.search([[v, "=", 1]]),
        "operator": lambda v: Product.search([["name", v, "x"]]),
        "condition in a group": lambda v: Product.search([["or", v]]),
        "denied condition": lambda v: Product.search([["not", v]]),
        "allowed": lambda v: Product.search([["category_id", "allowed", v]]),
        "fields": lambda v: Product.search((), v),
        "a field": lambda v: Product.search((), [v]),
        "nested": lambda v: Author.search(nested=v),
        "options of nested": lambda v: Author.search(nested={"books": v}),
        "fields of nested": lambda v: Author.search(nested={"books": {"fields": v}}),
        "filter of nested": lambda v: Author.search(nested={"books": {"filter": v}}),
        "order of nested": lambda v: Author.search(nested={"books": {"order": v}}),
        "limit of nested": lambda v: Author.search(nested={"books": {"limit": v}}),
        "nested of nested": lambda v: Author.search(nested={"books": {"nested": v}}),
        "order": lambda v: Product.search(order=v),
        "a term of an order": lambda v: Product.search(order=[v]),
        "limit": lambda v: Product.search(limit=v),
        "offset": lambda v: Product.search(offset=v),
        "after": lambda v: Product.search(limit=1, after=v),
        "batch": lambda v: drain(Product.iterate(batch=v)),
        "lock": lambda v: Product.get(record.id, lock=v),
        "an id": Product.get_or_none,
        "group_by": lambda v: Product.aggregate((), v),
        "a group": lambda v: Product.aggregate((), [v]),
        "values": lambda v: Product.aggregate((), (), v),
        "a value": lambda v: Product.aggregate((), (), {"v": v}),
        "a function": lambda v: Product.aggregate((), (), {"v": (v, "price")}),
        "a field to sum": lambda v: Product.aggregate((), (), {"v": ("sum", v)}),
        "a payload": record.update,
        "records": Product.create_bulk,
        "a record": lambda v: Product.create_bulk([v]),
        "records to upsert": lambda v: Tag.upsert(v, on=["name"]),
        "a key of upsert": lambda v: Tag.upsert([{"name": "t"}], on=[v]),
        "commands of a relation": lambda v: writer.update(books=v),
        "rows of a command": lambda v: writer.update(books={"link": v}),
        "a row of a command": lambda v: writer.update(books={"link": [v]}),
        "a row to create": lambda v: writer.update(books={"create": [v]}),
        "a row to update": lambda v: writer.update(books={"update": [v]}),
    }
    assert await refused_or_literal(sent, positions, VALUES, shapes=3) == []


@pytest.mark.parametrize("kind", [Word, Disguised])
async def test_a_kind_of_text_is_the_text_that_it_equals(
    home: ShopHome, sent: list[str], kind: Callable[[str], Any]
) -> None:
    """Nor does it stay in the statement that is kept for those who ask with a plain text."""
    record = await product()
    name, equals, total, stock = kind("name"), kind("="), kind("sum"), kind("stock")
    questions: dict[str, Ask] = {
        "a condition": lambda plain: Product.search([["name", "=", "x"]] if plain else [[name, equals, "x"]]),
        "fields": lambda plain: Product.search((), ["name"] if plain else [name]),
        "an order": lambda plain: Product.search(order="name" if plain else name),
        "a group": lambda plain: Product.aggregate((), ["name"] if plain else [name]),
        "a figure": lambda plain: Product.aggregate(
            (), (), {"v": ("sum", "stock") if plain else (total, stock)}
        ),
        "a new row": lambda plain: Product.create({"name" if plain else name: "x"}),
        "many": lambda plain: Product.create_bulk([{"name" if plain else name: "x"}]),
        "a change": lambda plain: record.update({"name" if plain else name: "x"}),
        "a change of many": lambda plain: change_many({"name" if plain else name: "x"}),
    }
    for position, question in questions.items():
        strange, plain = await ask(sent, question, False), await ask(sent, question, True)
        assert (strange.error, plain.error) == (None, None), position
        assert strange.texts == plain.texts, position
