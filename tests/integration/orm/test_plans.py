"""Lists stay fast when their statements are prepared and run many times.

After five executions PostgreSQL may go over to a plan that knows no values. For a page of a list that plan is
ten times slower and more, because it takes every condition for a selective one. Time is no evidence on a busy
machine: the plans that the server counted are, and the pages of the table that one more execution reads."""

import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import pytest
import pytest_asyncio

from orm.totals import FEW
from orm.verbs import read
from tests.support.databases import fresh_schema
from tests.support.library import LIBRARY, Author, Book
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


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def filled_url(run_database_url: str) -> AsyncIterator[str]:
    """Where the products are that no test changes."""
    async with fresh_schema(run_database_url) as url:
        async with shop(url) as home:
            for text in FILL:
                await home.db.execute(text)
        yield url


@pytest.fixture
async def home(filled_url: str) -> AsyncIterator[ShopHome]:
    """100,000 products, 89,000 of them dearer than 110, and one connection that runs every statement: a new
    one, which has prepared none."""
    async with shop(filled_url, max_size=1) as home:
        yield home


@pytest.fixture
async def empty_home(database_url: str) -> AsyncIterator[ShopHome]:
    """Categories and no product, for tests that make their own."""
    async with shop(database_url, max_size=1) as home:
        await home.db.execute(FILL[0])
        yield home


class Evidence(NamedTuple):
    generic_plans: int
    pages: int
    """That one more execution reads, of tables and indexes."""

    passed_over: int
    """Rows that it looks at in vain."""


async def evidence(home: ShopHome, text: str, literals: Sequence[object]) -> Evidence:
    """What the server's own books say of the statement `text`, and of its plan for these values."""
    found = await home.db.fetch(
        "SELECT name, generic_plans FROM pg_prepared_statements "
        "WHERE statement = $1 ORDER BY prepare_time DESC",
        str(text),
    )
    name, generic = found[0]["name"], sum(row["generic_plans"] for row in found)
    given = ", ".join(map(str, literals))
    [(plan,)] = await home.db.fetch(f'EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE "{name}" ({given})')
    node = msgspec.json.decode(plan)[0]["Plan"]
    return Evidence(generic, node["Shared Hit Blocks"] + node["Shared Read Blocks"], _passed_over(node))


def _passed_over(node: Mapping[str, Any]) -> int:
    below = sum(map(_passed_over, node.get("Plans", ())))
    return below + int(node.get("Rows Removed by Filter", 0) * node["Actual Loops"])


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


async def counted(filter: Sequence[Any], offset: int = 0, after: str | None = None) -> Sequence[Any]:
    """The rows of a page, which say how many pass in all."""
    reading = read.many(
        Product, filter, order="-id", limit=39, offset=offset, after=after, counted=True, api=True
    )
    rows = await reading.rows()
    reading.total(rows)
    return rows


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


async def test_the_newest_of_a_few_hundred_rows_are_found_by_their_index(
    empty_home: ShopHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = empty_home
    await home.db.execute("INSERT INTO categories (name) SELECT 'd' || n FROM generate_series(51, 500) n")
    await home.db.execute(FILL[1].replace("n % 50 + 1", "n % 500 + 1"))
    await home.db.execute("ANALYZE categories, products")
    text = "SELECT * FROM products WHERE category_id = $1 ORDER BY id DESC LIMIT $2"
    for _ in range(EXECUTIONS):
        await home.db.fetch(text, 7, 40)
    trapped = await evidence(home, text, [7, 40])  # else this would prove nothing
    assert trapped.passed_over > 10_000
    text = await repeated(home, monkeypatch, lambda: Product.search([["category_id", "=", 7]], **PAGE))
    assert (await evidence(home, text, [7, 40])).passed_over == 0


async def test_a_list_that_is_counted_costs_the_count_and_a_page(
    home: ShopHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = await repeated(home, monkeypatch, lambda: counted(UNSELECTIVE))
    of_list = await evidence(home, text, [110, 40])
    await home.db.fetch(COUNT, 110)
    of_count = await evidence(home, COUNT, [110])
    assert of_list.generic_plans == 0
    assert of_list.pages <= of_count.pages + MOST_PAGES


async def test_few_rows_are_looked_at_once_to_be_counted(
    home: ShopHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    condition = [["price", ">", 990]]
    [(expected,)] = await home.db.fetch("SELECT count(*) FROM products WHERE price > 990")
    first = await Product.search(condition, order="-id", limit=40)
    pages = [await counted(condition, offset) for offset in (0, 40, 80)]
    assert {row[-1] for rows in pages for row in rows} == {expected}
    assert await counted(condition, after=first.next) == pages[1]
    text = await repeated(home, monkeypatch, lambda: counted(condition))
    assert "OVER ()" in text
    assert expected < FEW


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


FILL_SKEWED = (
    """
    INSERT INTO authors (name)
    SELECT CASE WHEN n <= 2 THEN 'rare' ELSE 'common ' || n % 8 END FROM generate_series(1, 1000) n
    """,
    *FILL_LIBRARY[1:],
)
FEW_PAGES = 300
"""The rare value leads to 200 books, each on a page of its own."""

PATH = "author_id.name"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def skewed_url(run_database_url: str) -> AsyncIterator[str]:
    """Where the books are, which no test changes."""
    async with fresh_schema(run_database_url) as url:
        async with shop(url, models=LIBRARY) as home:
            for text in FILL_SKEWED:
                await home.db.execute(text)
        yield url


@pytest.fixture
async def skewed(skewed_url: str) -> AsyncIterator[ShopHome]:
    """100,000 books, 200 of them of authors with a rare name; one new connection."""
    async with shop(skewed_url, models=LIBRARY, max_size=1) as home:
        yield home


async def test_the_trap_is_there_for_a_value_behind_a_path(skewed: ShopHome) -> None:
    """Else the test below would prove nothing."""
    text = (
        "SELECT count(*) FROM books t "
        "WHERE EXISTS (SELECT 1 FROM authors a WHERE a.id = t.author_id AND a.name = $1::text)"
    )
    for _ in range(EXECUTIONS):
        await skewed.db.fetch(text, "common 3")
    found = await evidence(skewed, text, ["'rare'"])
    assert found.generic_plans > 0
    assert found.pages > FEW_PAGES


async def test_a_rare_value_behind_a_path_stays_fast_after_many_common_ones(
    skewed: ShopHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: Mapping[str, Callable[[str], Awaitable[Any]]] = {
        "every row": lambda name: Book.search([[PATH, "=", name]], ["title"]),
        "a page": lambda name: Book.search([[PATH, "=", name]], ["title"], order="-id", limit=40),
        "by another field": lambda name: Book.search([[PATH, "=", name]], order="pages", limit=40),
        "a count": lambda name: Book.search_count([[PATH, "=", name]]),
        "a sum": lambda name: Book.aggregate([[PATH, "=", name]], (), {"sum": ("sum", "pages")}),
    }
    found = {}
    for name, ask in asked.items():
        text = await text_of(skewed, monkeypatch, ["common 3"] * EXECUTIONS, ask)
        literals = ["'rare'", *(["40"] * text.count("LIMIT"))]
        found[name] = await evidence(skewed, text, literals)
    assert [name for name, one in found.items() if one.generic_plans] == []
    assert {name: one.pages for name, one in found.items() if one.pages > FEW_PAGES} == {}


async def text_of(
    home: ShopHome,
    monkeypatch: pytest.MonkeyPatch,
    values: Iterable[Any],
    ask: Callable[[Any], Awaitable[Any]],
) -> str:
    """Ask with each of `values`, and give back the text of the statement."""
    texts: list[str] = []
    run = home.db.run

    async def recorded(text: str, values: Sequence[Any] = ()) -> list[Any]:
        texts.append(text)
        return await run(text, values)

    with monkeypatch.context() as patch:
        patch.setattr(home.db, "run", recorded)
        for value in values:
            await ask(value)
    return texts[-1]


async def test_a_rare_value_stays_fast_after_large_offsets_into_a_common_one(
    empty_home: ShopHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = empty_home
    await home.db.execute(FILL[1].replace("n % 50 + 1", "CASE WHEN n % 2000 = 0 THEN 7 ELSE 1 END"))
    await home.db.execute("ANALYZE categories, products")
    columns = ", ".join(home.registry.of(Product).columns)
    text = f"SELECT {columns} FROM products WHERE category_id = $1 ORDER BY id DESC LIMIT $2 OFFSET $3"
    for _ in range(EXECUTIONS):
        await home.db.fetch(text, 1, 40, ROWS // 2)
    trapped = await evidence(home, text, [7, 40, 5])  # else this would prove nothing
    assert trapped.generic_plans > 0
    assert trapped.pages > FEW_PAGES

    async def page(category: int) -> None:
        await Product.search([["category_id", "=", category]], order="-id", limit=40, offset=ROWS // 2)

    found = await evidence(home, await text_of(home, monkeypatch, [1] * EXECUTIONS, page), [7, 40, 5])
    assert found.generic_plans == 0
    assert found.pages <= FEW_PAGES


async def test_a_statement_that_is_prepared_anew_leaves_no_others_behind(skewed: ShopHome) -> None:
    for _ in range(10 * EXECUTIONS):
        await Book.search_count([[PATH, "=", "rare"]])
    there = (
        "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT count(*) FROM \"books\"%'"
    )
    assert await skewed.db.fetchval(there) <= 2  # the driver takes one away when the next one is made
