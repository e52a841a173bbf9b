"""The measurements: each starts what it needs, and gives back plain figures."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

import asyncpg
import httpx

from orm import Database
from services.security.rights import read_rights
from tests.bench.growth.project import VARIABLE
from tests.bench.http.dialects import Asked
from tests.bench.http.load import Load, write_requests
from tests.bench.http.run import sliced
from tests.bench.http.servers import ServerFailed, ServerProcess, free_port, python, server
from tests.bench.http.world import sign_in, starling_environ
from tests.bench.server import Server
from tests.support.databases import fresh_database

_MODULE: Final = "tests.bench.growth.project"
_FILL: Final = """
INSERT INTO things_0 (name, stock, active)
SELECT 'Thing ' || n, n % 1000, true FROM generate_series(1, $1) n"""
_NOTICED_SECONDS: Final = 30.0
_STEP: Final = 500
_PAGE: Final = 100
_PAGES: Final = 15


@dataclass(frozen=True)
class Started:
    """A running project, the token of its administrator, and its database."""

    running: ServerProcess
    token: str
    url: str
    connection: "asyncpg.Connection[Any]"

    @property
    def headers(self) -> list[tuple[str, str]]:
        """What every request has."""
        return [("Authorization", f"Bearer {self.token}")]


@asynccontextmanager
async def started(url: str, models: int, core: int | None) -> AsyncIterator[Started]:
    """The project with so many models more on a database."""
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(serving(url, models, core))
        connection = await asyncpg.connect(url)
        stack.push_async_callback(connection.close)
        async with httpx.AsyncClient(base_url=running.base, timeout=60) as client:
            _, token = await sign_in(client, "admin")
        yield Started(running, token, url, connection)


@asynccontextmanager
async def serving(url: str, models: int, core: int | None) -> AsyncIterator[ServerProcess]:
    """Its processes, from when they are ready."""
    port = free_port()
    environ = {**starling_environ(url, port), VARIABLE: str(models)}
    async with server(
        f"Starling with {models} models",
        python(_MODULE),
        environ,
        port=port,
        core=core,
        ready="/health/ready",
    ) as running:
        yield running


async def by_models(
    on: Server, load: Load, folder: Path, *, rounds: int, seconds: int
) -> dict[int, tuple[float, float]]:
    """By number of models, requests per second of one row, and CPU microseconds of one request."""
    found: dict[int, tuple[list[float], list[float]]] = {10: ([], []), 1000: ([], [])}
    async with AsyncExitStack() as stack:
        projects = {}
        for count in found:
            url = await stack.enter_async_context(fresh_database(on.url))
            one = await stack.enter_async_context(started(url, count, on.cores.client))
            name = f"things_{count - 1}"
            await one.connection.execute(_FILL.replace("things_0", name), 1000)
            asked = [Asked("GET", f"/api/{name}/{number}") for number in range(1, 1001)]
            write_requests(folder / str(count), asked, one.headers)
            projects[count] = one
        for number in range(rounds + 1):
            for count, one in projects.items():
                sample = await sliced(one.running, load, folder / str(count), seconds)
                if number:  # the first one warms up
                    found[count][0].append(1 / sample.wall)
                    found[count][1].append(sample.cpu * 1e6)
    return {count: (median(rates), median(cpu)) for count, (rates, cpu) in found.items()}


async def cold_start(on: Server, models: int, *, times: int) -> tuple[float, float]:
    """Seconds from the start of the program to /health/ready, the tables being there: of time, and of CPU in
    all its processes."""
    async with fresh_database(on.url) as url:
        async with serving(url, models, on.cores.client):
            pass  # makes the tables
        took, used = [], []
        for _ in range(times):
            began = time.perf_counter()
            async with serving(url, models, on.cores.client) as running:
                took.append(time.perf_counter() - began)
                used.append(running.cpu_seconds())
    return median(took), median(used)


async def by_roles(
    on: Server, load: Load, folder: Path, *, rounds: int, seconds: int
) -> dict[int, tuple[float, float]]:
    """By number of roles, each with an access list and a rule: CPU microseconds of a request of a user with
    three of them, and milliseconds that the rights take to be read."""
    found = {}
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(fresh_database(on.url))
        one = await stack.enter_async_context(started(url, 1, on.cores.client))
        await one.connection.execute(_FILL, 1000)
        async with httpx.AsyncClient(
            base_url=one.running.base, timeout=60, headers=dict(one.headers)
        ) as client:
            body = {"login": "ada", "name": "Ada", "password": "correct horse battery staple"}
            ada = (await client.post("/api/users", json=body)).json()["id"]
            _, token = await sign_in(client, "ada")
        made = 0
        for count in (10, 1000, 10_000):
            await _make_roles(one.connection, made, count, ada)
            made = count
            await _may_read(one.running, token)
            asked = [Asked("GET", f"/api/things_0/{number}") for number in range(1, 1001)]
            write_requests(folder / "roles", asked, [("Authorization", f"Bearer {token}")])
            samples = [await sliced(one.running, load, folder / "roles", seconds) for _ in range(rounds + 1)]
            found[count] = (
                median(sample.cpu for sample in samples[1:]) * 1e6,
                await _rights_milliseconds(url),
            )
    return found


async def _may_read(running: ServerProcess, token: str) -> None:
    """Return when the server has noticed the new rights. Raises ServerFailed."""
    headers = {"Authorization": f"Bearer {token}"}
    deadline = time.monotonic() + _NOTICED_SECONDS
    async with httpx.AsyncClient(base_url=running.base, headers=headers) as client:
        while (await client.get("/api/things_0/1")).status_code != 200:
            if time.monotonic() > deadline:
                raise ServerFailed("new rights were not noticed")
            await asyncio.sleep(0.05)


async def _make_roles(connection: "asyncpg.Connection[Any]", made: int, count: int, user_id: int) -> None:
    """From now on there are `count` roles of ours; the user has the first three."""
    text = "SELECT 'bench_' || n, 'Role ' || n FROM generate_series($1::int + 1, $2::int) n"
    rows = await connection.fetch(f"INSERT INTO roles (code, name) {text} RETURNING id", made, count)
    ids = [row["id"] for row in rows]
    await connection.execute(
        "INSERT INTO access_lists (role_id, model, can_create, can_read, can_update, can_delete) "
        "SELECT id, 'things_0', false, true, false, false FROM unnest($1::bigint[]) id",
        ids,
    )
    await connection.execute(
        "INSERT INTO rules (name, model, role_id, domain, operations, active) "
        "SELECT 'rule ' || id, 'things_0', id, $2, $3, true FROM unnest($1::bigint[]) id",
        ids,
        json.dumps([["stock", ">=", 0]]),
        json.dumps(["read"]),
    )
    if not made:
        await connection.execute(
            "INSERT INTO user_roles (user_id, role_id) SELECT $1, id FROM unnest($2::bigint[]) id",
            user_id,
            ids[:3],
        )


async def _rights_milliseconds(url: str) -> float:
    db = Database(url)
    await db.open()
    try:
        took = []
        for _ in range(5):
            began = time.perf_counter()
            await read_rights(db)
            took.append(time.perf_counter() - began)
    finally:
        await db.close()
    return median(took) * 1000


async def by_rows(on: Server, counts: tuple[int, ...]) -> dict[int, tuple[float, float]]:
    """By number of rows, milliseconds that the first pages of 100 take, and the last ones, by cursor."""
    found = {}
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(fresh_database(on.url))
        one = await stack.enter_async_context(started(url, 1, on.cores.client))
        await one.connection.execute("ALTER TABLE things_0 SET UNLOGGED")
        made = 0
        async with httpx.AsyncClient(
            base_url=one.running.base, timeout=60, headers=dict(one.headers)
        ) as client:
            for count in counts:
                await one.connection.execute(_FILL, count - made)
                await one.connection.execute("VACUUM ANALYZE things_0")
                made = count
                found[count] = await _paged(client, count)
    return found


async def _paged(client: httpx.AsyncClient, count: int) -> tuple[float, float]:
    first, after, seen = [], None, 0
    pages = min(_PAGES, count // _PAGE // 2)
    for _ in range(pages):
        took, page = await _page(client, _PAGE, after)
        first.append(took)
        after, seen = page["next"], seen + len(page["data"])
    while count - seen > pages * _PAGE:
        _, page = await _page(client, min(_STEP, count - seen - pages * _PAGE), after)
        after, seen = page["next"], seen + len(page["data"])
    last = []
    while after is not None:
        took, page = await _page(client, _PAGE, after)
        last.append(took)
        after, seen = page["next"], seen + len(page["data"])
    if seen != count:
        raise ValueError(f"{seen} rows by cursor where there are {count}")
    return median(first) * 1000, median(last) * 1000


async def _page(client: httpx.AsyncClient, limit: int, after: str | None) -> tuple[float, Mapping[str, Any]]:
    asked = {"limit": str(limit), "order": "id", "filter": '[["stock",">=",0]]'}
    if after is not None:
        asked["after"] = after
    began = time.perf_counter()
    answer = await client.get("/api/things_0", params=asked)
    took = time.perf_counter() - began
    answer.raise_for_status()
    page: Mapping[str, Any] = answer.json()
    return took, page
