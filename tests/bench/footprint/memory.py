"""How much memory a worker takes."""

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from tests.bench.growth.measures import serving
from tests.bench.http.dialects import Asked
from tests.bench.http.load import Load, write_requests
from tests.bench.http.world import sign_in
from tests.bench.server import Server
from tests.support.databases import fresh_database

_LOAD_SECONDS: Final = 5
_SETTLE_SECONDS: Final = 3.0
_MEBIBYTE: Final = 1 << 20


@dataclass(frozen=True)
class Memory:
    """Mebibytes: resident, and proportional, in which pages that are shared count in parts."""

    idle_rss: float
    idle_pss: float
    parent_pss: float
    signed_in_rss: float
    busy_rss: float
    busy_pss: float


async def memory(server: Server) -> Memory:
    """Of a worker that has just started, after somebody signed in, and after some seconds of load."""
    core = server.cores.client
    async with fresh_database(server.url) as url:
        async with serving(url, 0, core):
            pass  # makes the tables and the administrator
        async with serving(url, 0, core) as running:
            await asyncio.sleep(_SETTLE_SECONDS)
            parent, worker = running.processes()[:2]
            idle, above = worker.memory_full_info(), parent.memory_full_info()
            async with httpx.AsyncClient(base_url=running.base, timeout=60) as client:
                _, token = await sign_in(client, "admin")
            signed_in = worker.memory_full_info()
            with tempfile.TemporaryDirectory(prefix="starling-bench-") as folder:
                file = Path(folder) / "requests"
                headers = [("Authorization", f"Bearer {token}")]
                write_requests(file, [Asked("GET", "/api/users/1")], headers)
                await Load(server.cores.database).run(running.port, file, _LOAD_SECONDS)
            busy = worker.memory_full_info()
    sizes = (idle.rss, idle.pss, above.pss, signed_in.rss, busy.rss, busy.pss)
    return Memory(*(size / _MEBIBYTE for size in sizes))
