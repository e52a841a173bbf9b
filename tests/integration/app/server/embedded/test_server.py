"""The embedded server itself, with the real binaries."""

import asyncio
import errno
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from app.core.errors import StartError
from app.server.embedded import SUPERUSER, EmbeddedPostgres, running_database_url
from app.server.embedded.cluster import Pause
from app.server.signals import StopRequested
from tests.support.data_dirs import copy_data_dir, made_data_dir
from tests.support.program import REPOSITORY, open_folder, runs, wait_until

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can try as somebody else")

# What is left when a parent is killed where the kernel does not tell its children, as on macOS.
ORPHAN = """\
import os, signal, sys
from pathlib import Path
from app.server.embedded import EmbeddedPostgres, cluster

cluster.signal_at_death_of_parent = lambda signum: lambda: None
server = EmbeddedPostgres(Path(sys.argv[1]), max_connections=20)
server.claim()
server.open()
server.wait_until_ready()
print(server.process.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    with made_data_dir() as data_dir:
        yield data_dir


@pytest.fixture
def new_data_dir() -> Iterator[Path]:
    """Where a data folder is to be made."""
    with open_folder(in_memory=True) as folder:
        yield folder / "data"


@pytest.fixture
def data_dir(made: Path, new_data_dir: Path) -> Path:
    """A data folder with a database in it that does not run."""
    return copy_data_dir(made, new_data_dir)


def embedded(data_dir: Path, pause: Pause | None = None) -> EmbeddedPostgres:
    if pause is None:
        return EmbeddedPostgres(data_dir, max_connections=20)
    return EmbeddedPostgres(data_dir, max_connections=20, pause=pause)


def answer(url: str, sql: str) -> object:
    async def ask() -> object:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(sql)
        finally:
            await connection.close()

    return asyncio.run(ask())


def leave_orphan(data_dir: Path) -> psutil.Process:
    command = [sys.executable, "-c", ORPHAN, str(data_dir)]
    said = subprocess.run(command, capture_output=True, text=True, check=False, cwd=REPOSITORY)
    assert said.returncode == -signal.SIGKILL, said.stderr
    orphan = psutil.Process(int(said.stdout))
    assert runs(orphan)
    return orphan


def test_the_application_owns_its_database_and_is_no_superuser(new_data_dir: Path) -> None:
    with embedded(new_data_dir) as server:
        url = server.url()
        assert answer(url, "SELECT current_user || ' in ' || current_database()") == "starling in starling"
        assert answer(url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
        answer(url, "CREATE TABLE notes (body text)")
        assert answer(url, "SELECT tableowner FROM pg_tables WHERE tablename = 'notes'") == "starling"


def test_texts_are_utf_8_and_sorted_by_code_point_whatever_the_environment(
    new_data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"LANG": "de_DE@euro", "LC_ALL": "C", "PGPORT": "1", "PGDATA": "/nowhere"}.items():
        monkeypatch.setenv(name, value)
    with embedded(new_data_dir) as server:
        assert answer(server.url(), "SHOW server_encoding") == "UTF8"
        assert answer(server.url(), "SELECT lower('ÄЖ') || (SELECT 'a' < 'B')") == "äжfalse"
        assert answer(server.url(), "SHOW timezone") == "UTC"


def test_an_administrator_may_do_all(data_dir: Path) -> None:
    with embedded(data_dir) as server:
        assert answer(server.url(role=SUPERUSER, database="postgres"), "SHOW is_superuser") == "on"


def test_data_is_there_after_a_restart_of_postgres_and_of_all(data_dir: Path) -> None:
    with embedded(data_dir) as server:
        answer(server.url(), "CREATE TABLE notes AS SELECT 'kept' AS body")
        server.process.kill()
        server.process.wait()
        server.restart()
        server.wait_until_ready()
        assert answer(server.url(), "SELECT body FROM notes") == "kept"
    with embedded(data_dir) as server:
        assert answer(server.url(), "SELECT body FROM notes") == "kept"


def test_an_orphan_is_stopped_and_its_data_are_there(data_dir: Path) -> None:
    orphan = leave_orphan(data_dir)
    with embedded(data_dir) as server:
        assert not runs(orphan)
        assert server.process.pid != orphan.pid
        assert answer(server.url(), "SELECT 1") == 1


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
def test_an_orphan_is_recognised_without_the_record_that_its_owner_could_not_write(data_dir: Path) -> None:
    orphan = leave_orphan(data_dir)
    (data_dir / "server.json").unlink()
    with embedded(data_dir) as server:
        assert not runs(orphan)
        assert answer(server.url(), "SELECT 1") == 1


@pytest.mark.parametrize("content", ["", "not a pid\n", "1\n/elsewhere\n0\n5432\n\n\n\nready\n"])
def test_a_pid_file_that_says_nothing_true_is_not_in_the_way(data_dir: Path, content: str) -> None:
    (data_dir / "postgres/postmaster.pid").write_text(content)
    with embedded(data_dir) as server:
        assert answer(server.url(), "SELECT 1") == 1


@pytest.mark.parametrize("content", ["", "{", "[]", '{"owner": 1}'])
def test_a_damaged_record_says_nothing(data_dir: Path, content: str) -> None:
    (data_dir / "server.json").write_text(content)
    with embedded(data_dir) as server:
        assert answer(server.url(), "SELECT 1") == 1


def test_a_folder_in_use_is_refused(data_dir: Path) -> None:
    with embedded(data_dir) as server:
        with pytest.raises(StartError, match=rf"another Starling runs already \(process {os.getpid()}\)"):
            embedded(data_dir).claim()
        assert answer(server.url(), "SELECT 1") == 1


def test_other_commands_find_the_server_that_runs(data_dir: Path) -> None:
    assert running_database_url(data_dir) is None
    with embedded(data_dir) as server:
        assert running_database_url(data_dir) == server.url()
    assert running_database_url(data_dir) is None
    leave_orphan(data_dir)
    assert running_database_url(data_dir) is None  # it is to be stopped, not to be used
    with embedded(data_dir):
        pass


def test_a_database_of_another_version_is_refused_and_left_as_it_is(data_dir: Path) -> None:
    (data_dir / "postgres/PG_VERSION").write_text("15\n")
    with pytest.raises(StartError, match=r"of PostgreSQL 15, and the installed server is 18"):
        embedded(data_dir).__enter__()
    (data_dir / "postgres/PG_VERSION").write_text("18\n")
    with embedded(data_dir) as server:
        assert answer(server.url(), "SELECT 1") == 1


def test_postgres_that_does_not_start_is_told_with_its_last_words(data_dir: Path) -> None:
    (data_dir / "postgres/postgresql.conf").write_text("shared_buffers = 'a lot'\n")
    with pytest.raises(StartError, match=r"did not start: .*errors.*postgres\.log"):
        embedded(data_dir).__enter__()


def test_a_start_that_is_given_up_leaves_nothing_running_and_nothing_in_the_way(new_data_dir: Path) -> None:
    def give_up(seconds: float) -> None:
        if any(new_data_dir.glob("postgres.new-*/postgres/base/1")):
            raise StopRequested

    before = set(psutil.Process().children(recursive=True))
    with pytest.raises(StopRequested):
        embedded(new_data_dir, give_up).__enter__()
    left = set(psutil.Process().children(recursive=True)) - before
    assert [child for child in left if child.name() in ("initdb", "postgres")] == []
    with embedded(new_data_dir) as server:
        assert answer(server.url(), "SELECT 1") == 1
    assert not [*new_data_dir.glob("postgres.new-*")]


def test_nothing_of_it_is_open_to_others(new_data_dir: Path) -> None:
    with embedded(new_data_dir):
        rules = {
            new_data_dir / "pg_hba.conf",
            new_data_dir / "pg_ident.conf",
        }  # the other user must read them
        for path in (*new_data_dir.rglob("*"), new_data_dir / "run"):
            if path not in rules:
                assert path.lstat().st_mode & 0o077 == 0, path
        assert new_data_dir.stat().st_mode & 0o066 == 0


@only_root
def test_another_user_cannot_reach_the_socket(data_dir: Path) -> None:
    with embedded(data_dir):
        child = os.fork()
        if child == 0:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            with socket.socket(socket.AF_UNIX) as client:
                os._exit(client.connect_ex(str(data_dir / "run/.s.PGSQL.5432")))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == errno.EACCES


@only_root
def test_who_gets_to_the_socket_is_asked_who_he_is(data_dir: Path) -> None:
    with embedded(data_dir) as server:
        # As if somebody had opened the folder: the kernel still tells the server who connects.
        for path in (data_dir, data_dir / "run", data_dir / "run/.s.PGSQL.5432"):
            path.chmod(0o777)
        refused = subprocess.run(
            [sys.executable, "-c", ASK_AS_NOBODY, server.url()], capture_output=True, text=True, check=False
        )
    assert "Peer authentication failed" in refused.stderr


# The imports come first: the interpreter may lie where that user cannot read.
ASK_AS_NOBODY = """\
import asyncio, asyncpg, os, sys
async def ask():
    os.setgid(65534); os.setuid(65534)
    await asyncpg.connect(sys.argv[1], passfile=None)
asyncio.run(ask())
"""


def test_a_server_that_ends_when_it_is_closed_leaves_no_file_of_its_run(new_data_dir: Path) -> None:
    with embedded(new_data_dir) as server:
        postgres = psutil.Process(server.process.pid)
        assert (new_data_dir / "server.json").stat().st_mode & 0o777 == 0o600
    wait_until(lambda: not runs(postgres), "postgres is gone")
    left = {path.name for path in new_data_dir.iterdir()}
    assert left == {"lock", "pg_hba.conf", "pg_ident.conf", "postgres", "postgres.log"}
