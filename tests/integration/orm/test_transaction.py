"""Transactions: joined by every verb inside, nested as savepoints, refused to two tasks at once."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from orm import TransactionConflict, UniqueViolation, UsageError
from orm.errors import ConcurrentUse, TransactionOver
from tests.support.models import Category, ShopHome, shop


@pytest.fixture
async def home(database_url: str) -> AsyncIterator[ShopHome]:
    async with shop(database_url, max_size=3) as home:
        yield home


async def names() -> list[str]:
    return [category.name for category in await Category.search(order="name")]


async def test_a_block_commits_or_rolls_back_as_a_whole(home: ShopHome) -> None:
    async with home.db.transaction():
        await Category.create(name="kept")
    with pytest.raises(ZeroDivisionError):
        async with home.db.transaction():
            await Category.create(name="dropped")
            _ = 1 / 0
    assert await names() == ["kept"]


async def test_a_nested_block_can_fail_alone(home: ShopHome) -> None:
    async with home.db.transaction():
        await Category.create(name="a")
        with pytest.raises(UniqueViolation):
            async with home.db.transaction():
                await Category.create(name="b")
                await Category.create(name="a")
        async with home.db.transaction():
            await Category.create(name="c")
    assert await names() == ["a", "c"]


async def test_an_error_that_is_swallowed_without_a_nested_block_is_not_lost(home: ShopHome) -> None:
    await Category.create(name="a")
    with pytest.raises(UsageError, match="nested transaction"):
        async with home.db.transaction():
            with pytest.raises(UniqueViolation):
                await Category.create(name="a")
            await Category.create(name="b")
    with pytest.raises(UsageError, match="everything was rolled back"):
        async with home.db.transaction():
            with pytest.raises(UniqueViolation):
                await Category.create(name="a")
    assert await names() == ["a"]


async def test_on_commit_runs_in_order_after_the_commit_and_never_after_a_rollback(home: ShopHome) -> None:
    heard: list[str] = []

    async def later() -> None:
        assert not home.db.in_transaction
        heard.append(f"later {await names()}")

    async with home.db.transaction() as outer:
        outer.on_commit(lambda: heard.append("first"))
        await Category.create(name="a")
        async with home.db.transaction() as inner:
            inner.on_commit(later)
        with pytest.raises(ZeroDivisionError):
            async with home.db.transaction() as failing:
                failing.on_commit(lambda: heard.append("never"))
                _ = 1 / 0
        assert heard == []
    assert heard == ["first", "later ['a']"]
    with pytest.raises(UsageError, match="on_commit needs an open transaction"):
        home.db.on_commit(later)


async def test_a_failing_callback_is_logged_and_hurts_nobody(
    home: ShopHome, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[str] = []

    def fail() -> None:
        raise RuntimeError("boom")

    async with home.db.transaction() as transaction:
        transaction.on_commit(fail)
        transaction.on_commit(lambda: heard.append("second"))
        await Category.create(name="a")
    assert heard == ["second"]
    assert "on_commit callback failed" in caplog.text


async def test_two_tasks_at_once_are_refused(home: ShopHome) -> None:
    with pytest.raises(ConcurrentUse, match="another task"):
        async with home.db.transaction():
            await asyncio.gather(Category.create(name="a"), Category.create(name="b"))
    assert home.db.pool.size - home.db.pool.idle <= 1
    assert await names() == []


async def test_one_task_after_the_other_may_use_it(home: ShopHome) -> None:
    async with home.db.transaction():
        await asyncio.wait_for(Category.create(name="a"), 5)
        await asyncio.create_task(names())
    assert await names() == ["a"]


async def test_a_task_that_outlives_the_block_is_told_so(home: ShopHome) -> None:
    go = asyncio.Event()

    async def straggler() -> None:
        await go.wait()
        await Category.create(name="late")

    async with home.db.transaction():
        task = asyncio.create_task(straggler())
        await asyncio.sleep(0)
    go.set()
    with pytest.raises(TransactionOver):
        await task


async def test_a_read_only_block_refuses_to_write(home: ShopHome) -> None:
    with pytest.raises(UsageError, match="opened with readonly=True"):
        async with home.db.transaction(readonly=True):
            await Category.create(name="a")
    assert await names() == []


async def test_serializable_blocks_that_clash_say_so(home: ShopHome) -> None:
    await Category.create(name="a")

    async def count_then_add(name: str, barrier: asyncio.Barrier) -> None:
        async with home.db.transaction(isolation="serializable"):
            count = await Category.search_count()
            await barrier.wait()
            await Category.create(name=f"{name}{count}")

    barrier = asyncio.Barrier(2)
    results = await asyncio.gather(
        count_then_add("x", barrier), count_then_add("y", barrier), return_exceptions=True
    )
    assert sorted(type(result).__name__ for result in results) == ["NoneType", "TransactionConflict"]
    assert issubclass(TransactionConflict, Exception)


async def test_isolation_belongs_to_the_outermost_block(home: ShopHome) -> None:
    async with home.db.transaction():
        with pytest.raises(UsageError, match="outermost"):
            async with home.db.transaction(isolation="serializable"):
                pass
    with pytest.raises(ValueError, match="isolation='chaos'"):
        home.db.transaction(isolation="chaos")  # type: ignore[arg-type]


async def test_one_transaction_has_one_clock(home: ShopHome) -> None:
    async with home.db.transaction() as outer, home.db.transaction() as inner:
        assert inner.now == outer.now == home.db.now()


async def test_cancellation_in_the_middle_leaves_nothing_behind(home: ShopHome) -> None:
    started = asyncio.Event()

    async def work() -> None:
        async with home.db.transaction():
            await Category.create(name="a")
            started.set()
            await home.db.fetch("SELECT pg_sleep(30)")

    task = asyncio.create_task(work())
    await started.wait()
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=0.1)
    assert task.cancelled()
    assert await names() == []


async def test_a_decorated_function_is_called_again_when_it_loses(home: ShopHome) -> None:
    await Category.create(name="start")
    barrier = asyncio.Barrier(2)
    calls: list[str] = []

    @home.db.transaction(isolation="serializable", retries=5)
    async def count_then_add(name: str) -> str:
        calls.append(name)
        count = await Category.search_count()
        if len(calls) <= 2:
            await barrier.wait()
        await Category.create(name=f"{name}{count}")
        return f"{name}{count}"

    results = await asyncio.gather(count_then_add("x"), count_then_add("y"))
    assert sorted(result[1:] for result in results) == ["1", "2"]
    assert len(calls) == 3
    assert count_then_add.__name__ == "count_then_add"


async def test_a_function_that_keeps_losing_raises_in_the_end(home: ShopHome) -> None:
    calls = 0

    @home.db.transaction(retries=2)
    async def lose() -> None:
        nonlocal calls
        calls += 1
        raise TransactionConflict("again")

    with pytest.raises(TransactionConflict):
        await lose()
    assert calls == 3
    async with home.db.transaction():
        with pytest.raises(TransactionConflict):
            await lose()  # in a savepoint there is no use in trying again: the whole transaction has lost
    assert calls == 4
    with pytest.raises(ValueError, match="retries=-1"):
        home.db.transaction(retries=-1)
