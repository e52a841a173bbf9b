"""The jobs as the database knows them."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from app.core.jobs import Job
from orm.database import Database
from sql import statements

_SQL = statements("schedule/jobs")

TABLE: Final = _SQL["table"]
"""The SQL that makes the table."""

LEASE_MARGIN_SECONDS: Final = 30.0
"""How much longer a claim holds than the job may take: for the cancellation, and to say how it went."""

_LONGEST_ERROR: Final = 500


class JobState(msgspec.Struct, frozen=True):
    """One job: `overdue_seconds` below 0 is the time that is left."""

    name: str
    interval_seconds: float
    overdue_seconds: float
    is_running: bool
    finished_at: datetime | None
    runs: int
    failures_in_a_row: int
    last_error: str | None


class Claim(msgspec.Struct, frozen=True):
    """A job that is this process's to do. `id` is what it is given back by."""

    id: uuid.UUID
    name: str


async def announce(db: Database, jobs: Sequence[Job]) -> None:
    """Every job has its row."""
    for job in jobs:
        await db.run(_SQL["announce"], [job.name, job.interval_seconds])


async def claim(db: Database, jobs: Sequence[Job]) -> Claim | None:
    """One of them that is due, for this process alone; None when none is."""
    names = [job.name for job in jobs]
    leases = [job.limit_seconds + LEASE_MARGIN_SECONDS for job in jobs]
    claim_id = uuid.uuid4()
    rows = await db.run(_SQL["claim"], [names, leases, claim_id])
    return Claim(claim_id, rows[0][0]) if rows else None


async def finish(db: Database, claimed: Claim, error: str | None) -> None:
    """It was done, or `error` says why not."""
    await db.run(_SQL["finish"], [claimed.id, None if error is None else error[:_LONGEST_ERROR]])


async def release(db: Database, claimed: Claim) -> None:
    """It is for others to do."""
    await db.run(_SQL["release"], [claimed.id])


async def next_due(db: Database, jobs: Sequence[Job]) -> float | None:
    """In how many seconds one of them can be claimed; None when there is none."""
    seconds: float | None = (await db.run(_SQL["next_due"], [[job.name for job in jobs]]))[0][0]
    return seconds


async def states(db: Database) -> list[JobState]:
    """All jobs of this database by name; none where there is no schedule."""
    if not (await db.run(_SQL["has_table"]))[0][0]:
        return []
    return [
        JobState(**{**dict(row), "is_running": bool(row["is_running"])})
        for row in await db.run(_SQL["state"])
    ]
