"""Posting over HTTP: how fast it is heard on another worker, and how many messages a second are stored."""

import asyncio
from dataclasses import asdict, dataclass
from typing import Any, Final

import asyncpg

from tests.bench.realtime.child import child
from tests.bench.realtime.fanout import connect, settled
from tests.bench.realtime.poster import Target
from tests.bench.realtime.systems import System
from tests.bench.realtime.verdict import Verdict

LINES: Final = 16
CROWD_LINES: Final = 500
_RATE: Final = 10.0

# Every chat's stream is numbered from 1 without gaps, and every message that was acknowledged is there.
_GAPS: Final = """
SELECT count(*) FROM (SELECT 1 FROM chat_events GROUP BY chat_id HAVING count(*) <> max(seq)) AS gaps"""
_MESSAGES: Final = "SELECT count(*) FROM chat_messages"
_DEADLOCKS: Final = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


@dataclass(frozen=True)
class Heard:
    """From the moment of posting to the socket, in milliseconds."""

    count: int
    p50_ms: float
    p99_ms: float
    verdict: Verdict


def heard_elsewhere(system: System, seconds: float, *, core: int | None) -> Heard:
    """Ten messages a second, posted to one process and heard on a socket of another."""
    with child("listener", core=core) as listener, child("poster", core=core) as poster:
        (name,) = connect(listener, system, 1)
        poster.ask(do="connect", ports=system.ports, count=2, not_worker=name, probe="/health/live")
        targets = [asdict(one) for one in system.targets]
        poster.ask(do="pace", targets=targets, rate=_RATE, seconds=1)  # everything was used once
        listener.ask(do="forget")
        accepted = poster.ask(do="pace", targets=targets, rate=_RATE, seconds=seconds)["accepted"]
        settled(listener, len(accepted))
        report = listener.ask(do="report", expected=accepted)
    return Heard(len(accepted), report["p50_ms"], report["p99_ms"], Verdict(*report["verdict"]))


@dataclass(frozen=True)
class Posted:
    """What a flood came to. `cpu_ms` is the server's for one message."""

    title: str
    per_second: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float
    refused: dict[str, int]


def floods(system: System, seconds: float, *, core: int | None) -> list[Posted]:
    """Into fifty chats, into one, and into one from five hundred connections."""
    with child("poster", core=core) as poster:

        def flood(title: str, targets: list[Target], lines: int) -> Posted:
            poster.ask(do="connect", ports=system.ports, count=lines)
            cpu = system.cpu()
            told = poster.ask(do="flood", targets=[asdict(one) for one in targets], seconds=seconds)
            cpu = system.cpu() - cpu
            count = sum(told["statuses"].values())
            refused = {status: n for status, n in told["statuses"].items() if status != "201"}
            return Posted(
                title, told["per_second"], told["p50_ms"], told["p99_ms"], cpu / count * 1e3, refused
            )

        flood("", system.chats, LINES)  # everything was used once
        return [
            flood(f"{len(system.chats)} chats, {LINES} connections", system.chats, LINES),
            flood(f"one chat, {LINES} connections", system.targets, LINES),
            flood(f"one chat, {CROWD_LINES} connections", system.targets, CROWD_LINES),
        ]


def stored(database_url: str) -> dict[str, Any]:
    """What the database says afterwards: messages, chats whose stream has a gap, and deadlocks."""

    async def ask() -> dict[str, Any]:
        connection = await asyncpg.connect(database_url)
        try:
            return {
                "messages": await connection.fetchval(_MESSAGES),
                "streams with gaps": await connection.fetchval(_GAPS),
                "deadlocks": await connection.fetchval(_DEADLOCKS),
            }
        finally:
            await connection.close()

    return asyncio.run(ask())
