"""Lists stay fast when their statements are prepared and run many times.

After five executions PostgreSQL may go over to a plan that knows no values. For a page of a list that plan is
ten times slower and more, because it takes every condition for a selective one. Time is no evidence on a busy
machine: the plans that the server counted are, and the pages of the table that one more execution reads."""

import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import pytest

from orm.verbs import read
from tests.support.library import LIBRARY, Author
from tests.support.models import Product, ShopHome, shop

ROWS = 100_000
EXECUTIONS = 12  # the sixth is the first that may have a generic plan
MOST_PAGES = 100  # the table has some 1,600

FILL = (
    "INSERT INTO categories (name) SELECT 'c' || n FROM generate_series(1, 50) n",
    f"""
    INSERT INTO products (name, kind, price, stock, category_id, created_at)
    SELECT 'p' || n, CASE n % 2 WHEN 0 THEN 'good' ELSE 'service' END,
           (n::bigint * 7919 % {ROWS}) / 100.0, n % 1000, n % 50 + 1, now() - n * interval '1 minute'
    FROM generate_series(1, {ROWS}) n
    """,
    "ANALYZE categories, products",
)

FILL_LIBRARY = (
    "INSERT INTO authors (name) SELECT 'a' || n FROM generate_series(1, 1000) n",
    f"""
    INSERT INTO books (title, pages, author_id)
    SELECT 'b' || n, n % 500, n % 1000 + 1 FROM generate_series(1, {ROWS}) n
    """,
    "ANALYZE authors, books",
)
PAGES_OF_AN_AUTHOR = 110  # of his 100 books each lies on a page of its own

COUNT = "SELECT count(*) FROM products WHERE price > $1::numeric"
UNSELECTIVE = [["price", ">", 110]]
PAGE: dict[str, Any] = {"order": "-id", "limit": 40}

Question = tuple[list[Any], Mapping[str, Any], Sequence[object]]
"""A filter, the rest of the question, and the values of its statement as SQL."""

QUESTIONS: Mapping[str, Question] = {
    "a page": (UNSELECTIVE, PAGE, [110, 40]),
    "the third page": (UNSELECTIVE, PAGE | {"offset": 80}, [110, 40, 80]),
    "a joined category": (UNSELECTIVE, PAGE | {"fields": ["name", "category_id.name"]}, [110, 40]),
    "two conditions": ([["kind", "=", "good"], *UNSELECTIVE], PAGE, ["'good'", 110, 40]),
    "alternatives": ([["or", ["price", ">", 110], ["stock", "<", 3]]], PAGE, [110, 3, 40]),
    "a complement": ([["category_id.name", "!=", "c7"]], PAGE, ["'c7'", 40]),
    "one category of fifty": ([["category_id", "=", 7]], PAGE, [7, 40]),
    "the index of two columns": ([["kind", "=", "good"]], PAGE | {"order": ["kind", "-id"]}, ["'good'", 40]),
}


@pytest.fixture
async def home(database_url: str) -> AsyncIterator[ShopHome]:
    """100,000 products, 89,000 of them dearer than 110, and one connection that runs every statement."""
    async with shop(database_url, max_size=1) as home:
        for text in FILL:
            await home.db.execute(text)
        yield home


class Evidence(NamedTuple):
    generic_plans: int
    pages: int
    """That one more execution reads, of tables and indexes."""


async def evidence(home: ShopHome, text: str, literals: Sequence[object]) -> Evidence:
    """What the server's own books say of the statement `text`, and of its plan for these values."""
    [(name, generic)] = await home.db.fetch(
        "SELECT name, generic_plans FROM pg_prepared_statements WHERE statement = $1", text
    )
    given = ", ".join(map(str, literals))
    [(plan,)] = await home.db.fetch(f'EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE "{name}" ({given})')
    node = msgspec.json.decode(plan)[0]["Plan"]
    return Evidence(generic, node["Shared Hit Blocks"] + node["Shared Read Blocks"])


async def repeated(
    home: ShopHome, monkeypatch: pytest.MonkeyPatch, ask: Callable[[], Awaitable[Sequence[Any]]]
) -> str:
    """Ask often enough, and give back the text of the statement."""
    texts: list[str] = []
    run = home.db.run

    async def recorded(text: str, values: Sequence[Any] = ()) -> list[Any]:
        texts.append(text)
        return await run(text, values)

    with monkeypatch.context() as patch:
        patch.setattr(home.db, "run", recorded)
        for _ in range(EXECUTIONS):
            assert len(await ask()) == 40
    return texts[-1]


async def test_the_trap_is_there_for_a_statement_with_a_literal_limit(home: ShopHome) -> None:
    """Else the tests below would prove nothing."""
    text = "SELECT id FROM products WHERE price > $1::numeric ORDER BY id DESC LIMIT 40"
    for _ in range(EXECUTIONS):
        await home.db.fetch(text, 110)
    assert (await evidence(home, text, [110])).generic_plans > 0


async def counted(filter: Sequence[Any]) -> Sequence[Any]:
    return await read.many(Product, filter, order="-id", limit=39, counted=True, api=True).rows()


async def after(filter: Sequence[Any], cursor: str | None) -> Sequence[Any]:
    return await Product.search(filter, order="-id", limit=40, after=cursor)


async def test_a_list_is_planned_for_its_values_after_many_executions(
    home: ShopHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await Product.search(UNSELECTIVE, **PAGE)
    found = {}
    for name, (conditions, options, literals) in QUESTIONS.items():
        ask = functools.partial(Product.search, conditions, **options)
        found[name] = await evidence(home, await repeated(home, monkeypatch, ask), literals)
    text = await repeated(home, monkeypatch, lambda: after(UNSELECTIVE, first.next))
    found["the page after a cursor"] = await evidence(home, text, [110, first[-1].id, 40])
    assert [name for name, one in found.items() if one.generic_plans] == []
    assert {name: one.pages for name, one in found.items() if one.pages > MOST_PAGES} == {}


async def test_a_list_that_is_counted_costs_the_count_and_a_page(
    home: ShopHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = await repeated(home, monkeypatch, lambda: counted(UNSELECTIVE))
    of_list = await evidence(home, text, [110, 40])
    await home.db.fetch(COUNT, 110)
    of_count = await evidence(home, COUNT, [110])
    assert of_list.generic_plans == 0
    assert of_list.pages <= of_count.pages + MOST_PAGES


async def test_the_rows_of_many_parents_are_found_by_index_after_many_executions(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with shop(database_url, models=LIBRARY, max_size=1) as home:
        for text in FILL_LIBRARY:
            await home.db.execute(text)
        nested = {"books": {"fields": ["title"], "order": "-id", "limit": 2}}
        ask = functools.partial(Author.search, (), ["name"], nested, limit=40)
        text = await repeated(home, monkeypatch, ask)
        ids = f"ARRAY[{', '.join(map(str, range(1, 41)))}]"
        found = await evidence(home, text, [ids, 2])
        assert found.pages <= 40 * PAGES_OF_AN_AUTHOR
