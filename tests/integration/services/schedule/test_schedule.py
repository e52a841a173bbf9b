"""Jobs at their intervals: once among all processes, again after a failure, by others after a death."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import nullcontext

import pytest

from app.core.errors import StartError
from app.core.jobs import Job
from app.core.service import AppsCore
from app.http.metrics import Counter
from app.project_setup import Apps
from orm import Database
from services.schedule import store
from services.schedule.runner import Runner
from tests.support.application import running_application
from tests.support.eventually import eventually


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, max_size=8)
    await database.open()
    await database.execute(store.TABLE)
    yield database
    await database.close()


def runner(db: Database, *jobs: Job, look_seconds: float = 0.05) -> Runner:
    done = Counter("starling_jobs_total", "Jobs.")
    return Runner(db, jobs, acting=nullcontext, done=done, look_seconds=look_seconds)


class Work:
    """Counts how often it was done."""

    def __init__(self) -> None:
        self.times = 0
        self.at_once = 0
        self.most_at_once = 0

    async def __call__(self) -> int:
        self.times += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0.01)
        self.at_once -= 1
        return self.times


async def test_a_job_is_done_once_among_all_processes(db: Database) -> None:
    work = Work()
    job = Job(name="test.once", interval_seconds=3600, work=work)
    runners = [runner(db, job) for _ in range(5)]
    for one in runners:
        one.start()
    await eventually(lambda: work.times)
    await asyncio.sleep(0.3)
    for one in runners:
        await one.stop()
    assert work.times == 1
    (state,) = await store.states(db)
    assert (state.name, state.runs, state.failures_in_a_row, state.is_running) == ("test.once", 1, 0, False)
    assert -3601 < state.overdue_seconds < -3500


async def test_a_job_is_done_again_after_its_interval_and_never_twice_at_once(db: Database) -> None:
    work = Work()
    job = Job(name="test.often", interval_seconds=0.05, work=work)
    runners = [runner(db, job) for _ in range(3)]
    for one in runners:
        one.start()
    await eventually(lambda: work.times >= 4)
    for one in runners:
        await one.stop()
    assert work.most_at_once == 1


async def test_a_failure_is_remembered_and_does_not_stop_the_others(db: Database) -> None:
    work = Work()

    async def fail() -> None:
        raise RuntimeError("the moon is full")

    async def hang() -> None:
        await asyncio.sleep(60)

    jobs = (
        Job(name="test.fails", interval_seconds=60, work=fail),
        Job(name="test.hangs", interval_seconds=60, work=hang, limit_seconds=0.1),
        Job(name="test.works", interval_seconds=60, work=work),
    )
    one = runner(db, *jobs)
    await store.announce(db, jobs)
    assert {await one.do_one() for _ in range(3)} == {"test.fails", "test.hangs", "test.works"}
    assert await one.do_one() is None
    states = {state.name: state for state in await store.states(db)}
    assert "the moon is full" in (states["test.fails"].last_error or "")
    assert states["test.hangs"].last_error == "it was not done within 0.1 seconds"
    assert states["test.works"].last_error is None
    assert work.times == 1


async def test_a_job_of_a_process_that_died_is_done_when_its_lease_is_over(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "LEASE_MARGIN_SECONDS", 0.0)
    work = Work()
    job = Job(name="test.lost", interval_seconds=60, work=work, limit_seconds=0.2)
    await store.announce(db, [job])
    lost = await store.claim(db, [job])
    assert lost is not None
    other = runner(db, job)
    assert await other.do_one() is None
    await asyncio.sleep(0.3)
    assert await other.do_one() == "test.lost"
    await store.finish(db, lost, "too late")  # its claim is nobody's any more
    (state,) = await store.states(db)
    assert (state.runs, state.last_error) == (1, None)


async def test_a_job_that_is_cut_off_by_a_stop_is_due_at_once_for_others(db: Database) -> None:
    began = asyncio.Event()

    async def hang() -> None:
        began.set()
        await asyncio.sleep(60)

    job = Job(name="test.cut", interval_seconds=3600, work=hang)
    one = runner(db, job)
    one.start()
    await began.wait()
    await one.stop()
    assert (await store.claim(db, [job])) is not None


async def test_a_shorter_interval_counts_at_the_next_start(db: Database) -> None:
    work = Work()
    job = Job(name="test.interval", interval_seconds=86400, work=work)
    await store.announce(db, [job])
    await runner(db, job).do_one()
    await store.announce(db, [Job(name="test.interval", interval_seconds=60, work=work)])
    (state,) = await store.states(db)
    assert -61 < state.overdue_seconds < -50


class WithSchedule(AppsCore):
    installed = tuple(dict.fromkeys((*Apps.installed, "services.schedule")))
    services_before = Apps.services_before
    services_after = tuple(dict.fromkeys((*Apps.services_after, "schedule")))


async def test_the_module_makes_its_table_and_asks_every_module(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = Work()
    jobs = [Job(name="partners.count", interval_seconds=3600, work=work)]
    monkeypatch.setattr("services.partners.app.Partners.jobs", lambda self: jobs, raising=False)
    async with running_application(database_url, apps=WithSchedule) as running:
        await eventually(lambda: work.times)
        client = await running.client(address="127.0.0.1")
        await asyncio.sleep(0.1)  # it counts a moment after the work
        text = (await client.get("/metrics")).text
        assert 'starling_jobs_total{job="partners.count",result="done"} 1' in text


async def test_two_jobs_of_one_name_stop_the_start(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [Job(name="partners.count", interval_seconds=3600, work=Work())] * 2
    monkeypatch.setattr("services.partners.app.Partners.jobs", lambda self: jobs, raising=False)
    with pytest.raises(StartError, match=r"two jobs are called 'partners\.count'"):
        async with running_application(database_url, apps=WithSchedule):
            pass
