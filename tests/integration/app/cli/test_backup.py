"""Backup and restore, end to end, on databases of their own."""

import asyncio
import os
import stat
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import msgspec
import pytest

from app.cli import main
from services.audit.chain import close_waiting
from tests.support.application import running_application
from tests.support.databases import fresh_database

pytestmark = pytest.mark.skipif(
    bool(os.environ.get("TEST_DATABASE_URL")), reason="pg_dump may be older than the server that was given"
)


@pytest.fixture(scope="module")
def urls(server_url: str) -> Iterator[tuple[str, str]]:
    """A database with an application's rows in it, and an empty one."""
    stack = AsyncExitStack()
    with asyncio.Runner() as runner:
        full = runner.run(stack.enter_async_context(fresh_database(server_url)))
        empty = runner.run(stack.enter_async_context(fresh_database(server_url)))
        try:
            runner.run(fill(full))
            yield full, empty
        finally:
            runner.run(stack.aclose())


async def fill(url: str) -> None:
    async with running_application(url) as running:
        admin = await running.as_admin()
        for name in ("Ada", "Grace", "Hedy"):
            assert (await admin.post("/api/partners", json={"name": name})).status_code == 201
        (partner,) = (await admin.get('/api/partners?filter=[["name","=","Ada"]]')).json()["data"]
        assert (await admin.delete(f"/api/partners/{partner['id']}")).status_code == 204
        while await close_waiting(running.env.db):
            pass


async def content(url: str) -> dict[str, list[str]]:
    """Every row of every table, as text."""
    connection = await asyncpg.connect(url)
    try:
        tables = await connection.fetch(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
        return {
            name: sorted(row[0] for row in await connection.fetch(f'SELECT t::text FROM "{name}" t'))
            for (name,) in tables
        }
    finally:
        await connection.close()


@pytest.fixture
def starling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Starling":
    monkeypatch.chdir(tmp_path)
    return Starling(monkeypatch, tmp_path)


class Starling:
    """The command line, on one database or another."""

    def __init__(self, patch: pytest.MonkeyPatch, folder: Path) -> None:
        self._patch = patch
        self.folder = folder

    def files(self) -> list[str]:
        """What lies in its folder, hidden files too."""
        return [file.name for file in self.folder.iterdir()]

    def __call__(self, url: str, *words: str) -> int:
        self._patch.setenv("DATABASE__URL", url)
        return main(words)


def test_what_was_backed_up_is_restored_row_by_row_and_the_audit_log_is_whole(
    urls: tuple[str, str], starling: Starling, capsys: pytest.CaptureFixture[str]
) -> None:
    full, empty = urls
    file = starling.folder / "all.dump"
    assert starling(full, "backup", str(file), "--json") == 0
    told = msgspec.json.decode(capsys.readouterr().out)
    assert told == {"file": str(file), "bytes": file.stat().st_size}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert starling.files() == ["all.dump"]

    assert starling(empty, "restore", str(file)) == 0
    before, after = asyncio.run(content(full)), asyncio.run(content(empty))
    assert before == after
    assert len(after["audit_log"]) > 4
    assert starling(empty, "audit", "verify") == 0
    assert "the audit log is whole" in capsys.readouterr().out

    assert starling(empty, "restore", str(file)) == 1
    assert "the database is not empty" in capsys.readouterr().err
    asyncio.run(execute(empty, "DELETE FROM partners"))
    assert starling(empty, "restore", str(file), "--force") == 0
    assert asyncio.run(content(empty)) == before
    asyncio.run(serves(empty))
    assert starling(empty, "doctor") == 0


async def execute(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(sql)
    await connection.close()


async def serves(url: str) -> None:
    async with running_application(url) as running:
        admin = await running.as_admin()
        names = {one["name"] for one in (await admin.get("/api/partners")).json()["data"]}
        assert names == {"Grace", "Hedy"}
        await admin.post("/api/partners", json={"name": "Radia"})


def test_a_database_in_use_is_left_alone(
    urls: tuple[str, str], starling: Starling, capsys: pytest.CaptureFixture[str]
) -> None:
    full, _ = urls
    assert starling(full, "backup", "all.dump") == 0

    async def restore_while_connected() -> int:
        connection = await asyncpg.connect(full)
        try:
            return await asyncio.to_thread(starling, full, "restore", "all.dump")
        finally:
            await connection.close()

    assert asyncio.run(restore_while_connected()) == 1
    assert "the database is in use (1 other connections)" in capsys.readouterr().err


def test_what_cannot_work_is_refused_and_harms_nothing(
    urls: tuple[str, str], starling: Starling, capsys: pytest.CaptureFixture[str]
) -> None:
    full, _ = urls
    file = starling.folder / "all.dump"
    file.write_text("precious")
    gone = urlunsplit(urlsplit(full)._replace(path="/nowhere"))
    cases = [
        (full, ["backup", str(file)], "is there already"),
        (full, ["backup", "no/such/folder/x.dump"], "cannot be written"),
        (gone, ["backup", "other.dump"], "the database cannot be reached"),
        (full, ["restore", "missing.dump"], "there is no file"),
        (full, ["restore", str(file)], "is no backup that can be read"),
    ]
    for url, words, sentence in cases:
        assert starling(url, *words) == 1
        assert sentence in capsys.readouterr().err
    assert starling.files() == ["all.dump"]
    assert file.read_text() == "precious"
    if Path("/dev/full").exists():
        before = asyncio.run(content(full))
        assert starling(full, "backup", "/dev/full/x.dump") == 1
        assert asyncio.run(content(full)) == before
    assert starling(full, "backup") == 2
    assert starling(full, "restore") == 2


def test_a_backup_that_fails_half_way_leaves_what_was_there(
    urls: tuple[str, str],
    starling: Starling,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    full, _ = urls
    file = starling.folder / "all.dump"
    file.write_text("precious")
    asyncio.run(execute(full, "CREATE TABLE secret (id int)"))
    locker = asyncio.Runner()
    connection = locker.run(asyncpg.connect(full))
    locker.run(connection.execute("BEGIN; LOCK TABLE secret"))
    monkeypatch.setenv("PGOPTIONS", "ignored")
    monkeypatch.setattr("app.cli.backup._MORE", ("--lock-wait-timeout=50",))
    try:
        assert starling(full, "backup", str(file), "--force") == 1
    finally:
        locker.run(connection.close())
        locker.close()
        asyncio.run(execute(full, "DROP TABLE secret"))
    assert "the backup failed, and nothing was written" in capsys.readouterr().err
    assert file.read_text() == "precious"
    assert starling.files() == ["all.dump"]
