import asyncio

import pytest

from app.realtime.tasks import Tasks
from tests.support.eventually import eventually


async def test_stop_cancels_and_waits_for_the_end() -> None:
    tasks, ended = Tasks(), []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append(True)

    tasks.spawn(work(), name="one")
    tasks.spawn(work(), name="two")
    await asyncio.sleep(0)
    assert len(tasks) == 2
    await tasks.stop()
    await tasks.stop()
    assert ended == [True, True]
    assert len(tasks) == 0


async def test_a_failure_is_logged_under_its_name(caplog: pytest.LogCaptureFixture) -> None:
    tasks = Tasks()

    async def fail() -> None:
        raise ZeroDivisionError

    tasks.spawn(fail(), name="a task that fails")
    await eventually(lambda: caplog.records)
    assert "a task that fails" in caplog.text
    assert "ZeroDivisionError" in caplog.text


async def test_nothing_starts_after_stop() -> None:
    tasks, started = Tasks(), []

    async def work() -> None:
        started.append(True)

    await tasks.stop()
    tasks.spawn(work(), name="late")
    await asyncio.sleep(0)
    assert started == []
    assert len(tasks) == 0
