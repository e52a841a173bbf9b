"""The embedded database when something is killed, in the way, or not ours."""

import contextlib
import json
import os
import pwd
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.data_dirs import copy_data_dir, served_data_dir
from tests.support.program import Program, open_folder, runs, wait_until

is_root = os.geteuid() == 0


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    with served_data_dir() as data_dir:
        yield data_dir


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder(in_memory=True) as opened:
        yield opened


@pytest.fixture
def program(folder: Path, made: Path) -> Iterator[Program]:
    """A program with two workers that is ready."""
    copy_data_dir(made, folder / ".starling")
    with Program(folder, {"HTTP__WORKERS": "2"}) as started:
        yield started.wait_until_ready()


def starts_again(killed: Program) -> None:
    """A new start in the same folder and on the same port becomes ready and ends well."""
    with Program(killed.folder, killed.settings) as program:
        program.wait_until_ready()
        assert program.stop() == 0
        assert program.processes() == []


def test_after_a_kill_of_the_parent_nothing_stays_and_the_next_start_works(program: Program) -> None:
    program.process.kill()
    starts_again(program)
    wait_until(lambda: not program.processes(), "all of the killed program is gone")


def test_after_a_kill_of_everything_at_once_the_next_start_works(program: Program) -> None:
    program.kill()
    starts_again(program)


def test_a_killed_worker_is_replaced(program: Program) -> None:
    killed = program.workers()[0]
    killed.kill()
    wait_until(lambda: len({*program.workers()} - {killed}) == 2, "there are two workers again")
    wait_until(program.is_ready, "it is ready")
    assert program.stop() == 0


def test_a_killed_postgres_is_started_again_and_found_by_the_workers(program: Program) -> None:
    killed = program.postgres()
    workers = program.workers()
    killed.kill()
    wait_until(lambda: is_new_postgres(program, killed), "there is another postgres")
    wait_until(lambda: asks_the_database(program), "requests reach the database")
    wait_until(program.is_ready, "it is ready")
    assert program.workers() == workers
    assert program.stop() == 0


def test_a_postgres_that_cannot_be_started_again_ends_the_program_loudly(program: Program) -> None:
    (program.folder / ".starling/postgres/postgresql.conf").write_text("shared_buffers = 'a lot'\n")
    program.postgres().kill()
    assert program.wait_until_over() == 1
    assert program.processes() == []
    assert program.errors().splitlines()[-1].startswith("starling: PostgreSQL ends again and again: ")


def test_a_killed_helper_of_postgres_is_recovered_by_postgres_itself(program: Program) -> None:
    postgres = program.postgres()
    (killed,) = log_writers(postgres)
    killed.kill()
    wait_until(lambda: log_writers(postgres) not in ([], [killed]), "it has recovered")
    wait_until(program.is_ready, "it is ready")
    assert program.postgres() == postgres
    assert program.stop() == 0


def test_a_kill_while_the_database_is_being_made_leaves_nothing_that_is_in_the_way(folder: Path) -> None:
    with Program(folder) as program:
        data_dir = folder / ".starling"
        wait_until(lambda: any(data_dir.glob("postgres.new-*/postgres/base")), "initdb is at work")
        program.processes()
        program.process.kill()
        program.wait_until_over()
        assert not (data_dir / "postgres").exists()
        starts_again(program)
        assert not [*data_dir.glob("postgres.new-*")]


def test_a_stranger_with_the_pid_of_a_killed_postgres_is_left_alone(program: Program) -> None:
    data_dir = program.folder / ".starling"
    left = {name: (data_dir / name).read_text() for name in ("postgres/postmaster.pid", "server.json")}
    owner = (data_dir / "postgres").stat()
    old_pid = str(program.postgres().pid)
    assert program.stop() == 0
    # Of postgres' own user, so that it could signal him and would take him for a postgres.
    stranger = subprocess.Popen(
        ["cat"],  # it waits for the end of its input
        stdin=subprocess.PIPE,
        user=owner.st_uid if is_root else None,
        group=owner.st_gid if is_root else None,
    )
    try:
        for name, text in left.items():
            (data_dir / name).write_text(text.replace(old_pid, str(stranger.pid)))
        os.chown(data_dir / "postgres/postmaster.pid", owner.st_uid, owner.st_gid)
        starts_again(program)
        assert stranger.poll() is None
    finally:
        stranger.communicate()


def test_a_second_server_on_the_same_folder_is_refused_and_the_first_goes_on(program: Program) -> None:
    with Program(program.folder / "second", {"DATA_DIR": str(program.folder / ".starling")}) as second:
        assert second.wait_until_over() == 1
        (line,) = second.errors().splitlines()
    assert "another Starling runs already" in line
    assert str(program.process.pid) in line
    assert program.is_ready()
    assert program.stop() == 0


def test_a_long_path_gets_a_socket_elsewhere_that_is_closed_to_others(folder: Path) -> None:
    data_dir = folder / ("d" * (150 - len(str(folder)) - 1))
    assert len(str(data_dir)) == 150
    with Program(folder, {"DATA_DIR": str(data_dir)}) as program:
        program.wait_until_ready()
        socket_folder = socket_folder_of(data_dir)
        assert data_dir not in socket_folder.parents
        assert stat.S_IMODE(socket_folder.stat().st_mode) == 0o700
        assert program.stop() == 0
    assert not socket_folder.exists()


def test_the_socket_folder_of_a_killed_server_is_removed_by_the_next(folder: Path) -> None:
    data_dir = folder / ("d" * 120)
    with Program(folder, {"DATA_DIR": str(data_dir)}) as program:
        program.wait_until_ready()
        socket_folder = socket_folder_of(data_dir)
        program.kill()
        assert socket_folder.exists()
        starts_again(program)
    assert not socket_folder.exists()


def test_existing_folders_keep_their_modes_and_owners(folder: Path) -> None:
    above = folder / "above"
    data_dir = above / "data"
    data_dir.mkdir(parents=True)
    above.chmod(0o711)
    data_dir.chmod(0o751)
    existing = [*reversed(data_dir.parents), data_dir]
    before = [(path.stat().st_mode, path.stat().st_uid, path.stat().st_gid) for path in existing]
    with Program(folder, {"DATA_DIR": str(data_dir)}) as program:
        program.wait_until_ready()
        assert stat.S_IMODE((data_dir / "run").stat().st_mode) == 0o700
        assert stat.S_IMODE((data_dir / "postgres").stat().st_mode) == 0o700
        assert program.stop() == 0
    assert [(path.stat().st_mode, path.stat().st_uid, path.stat().st_gid) for path in existing] == before


def test_postgres_does_not_listen_on_tcp(program: Program) -> None:
    assert [*program.postgres().net_connections("inet")] == []


@pytest.mark.skipif(not is_root, reason="only root runs postgres as another user")
def test_under_root_postgres_runs_as_a_user_that_nothing_else_runs_as(program: Program) -> None:
    uid = program.postgres().uids().real
    with contextlib.suppress(KeyError):
        assert pwd.getpwuid(uid).pw_name == "starling"  # made on purpose; else it has no name at all
    running = {one for one in psutil.process_iter(["uids"]) if one.info["uids"].real == uid and runs(one)}
    assert running <= {*program.processes()}


@pytest.mark.skipif(not is_root, reason="only root runs postgres as another user")
def test_under_root_a_folder_that_postgres_cannot_reach_is_refused_and_left_as_it_is(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    with Program(folder, {"DATA_DIR": str(closed / "data")}) as program:
        assert program.wait_until_over() == 1
        (line,) = program.errors().splitlines()
    assert str(closed) in line
    assert "DATABASE__URL" in line
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert [*closed.iterdir()] == []


def is_new_postgres(program: Program, killed: psutil.Process) -> bool:
    children = psutil.Process(program.process.pid).children()
    return any("-D" in title(one) for one in children if one != killed)


def asks_the_database(program: Program) -> bool:
    """Whether a sign-in is refused for its password, which only the database can tell."""
    return program.post("/signin", b'{"login": "nobody", "password": "wrong password"}').status == 401


def title(process: psutil.Process) -> str:
    """The command line, or what postgres writes in its place; empty when the process has ended."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return " ".join(process.cmdline())
    return ""


def log_writers(postgres: psutil.Process) -> list[psutil.Process]:
    return [one for one in postgres.children() if "walwriter" in title(one)]


def socket_folder_of(data_dir: Path) -> Path:
    return Path(json.loads((data_dir / "server.json").read_text())["socket_folder"])
