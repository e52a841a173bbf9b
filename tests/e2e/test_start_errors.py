"""Starts that cannot succeed: one clear message, no stack, exit status 1 or 2, and nothing left running."""

import contextlib
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.program import REPOSITORY, Program, free_port, open_folder, wait_until

TWO_WORKERS = {"HTTP__WORKERS": "2"}


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder(in_memory=True) as made:
        yield made


def refusal(program: Program) -> str:
    """What the program says on standard error, when it fails as it should."""
    with program:
        wait_until(lambda: program.process.poll() is not None or program.output() != "", "it fails")
        said = program.errors()
        assert program.process.poll() in (1, 2), said
        assert program.processes() == []
    assert "Traceback" not in said
    assert program.output() == ""
    return said


def one_sentence(program: Program) -> str:
    said = refusal(program)
    assert said.count("\n") == 1, said
    assert said.startswith("starling: ")
    return said


def test_a_port_in_use(folder: Path) -> None:
    with listening() as port:
        said = one_sentence(Program(folder, TWO_WORKERS | {"HTTP__PORT": str(port)}))
    assert f"port {port} of 127.0.0.1 is in use" in said
    assert "HTTP__PORT" in said
    assert not (folder / ".starling/postgres").exists()


def test_an_address_that_is_not_ours(folder: Path) -> None:
    said = one_sentence(Program(folder, {"HTTP__HOST": "203.0.113.7"}))  # reserved for documentation
    assert "HTTP__HOST is '203.0.113.7', which is not an address of this machine" in said


def test_no_server_at_the_url(folder: Path) -> None:
    url = f"postgresql://anna:s3cret-word@127.0.0.1:{free_port()}/shop"
    said = one_sentence(Program(folder, TWO_WORKERS | {"DATABASE__URL": url}))
    assert "DATABASE__URL" in said
    assert "127.0.0.1" in said
    assert "s3cret-word" not in said


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("28P01", 'password authentication failed for user "anna"'),
        ("28000", 'role "anna" does not exist'),
        ("3D000", 'database "shop" does not exist'),
    ],
)
def test_a_server_that_does_not_let_us_in(folder: Path, code: str, message: str) -> None:
    with refusing_server(code, message) as port:
        url = f"postgresql://anna:s3cret-word@127.0.0.1:{port}/shop"
        said = one_sentence(Program(folder, TWO_WORKERS | {"DATABASE__URL": url}))
    assert "DATABASE__URL" in said
    assert message in said
    assert "s3cret-word" not in said


def test_settings_that_are_unknown_or_too_short_are_named_all_at_once(folder: Path) -> None:
    settings = {"HTTP__PROT": "80", "AUTH__SECRET": "too-short", "DATABASE__POOL_MAX": "many"}
    said = refusal(Program(folder, settings))
    for name in settings:
        assert name in said
    assert "HTTP__PORT" in said  # what was meant
    assert "too-short" not in said
    assert not (folder / ".starling").exists()


def test_a_file_in_the_place_of_the_data_folder(folder: Path) -> None:
    (folder / ".starling").write_text("mine")
    said = one_sentence(Program(folder, TWO_WORKERS))
    assert f"DATA_DIR is {folder / '.starling'}" in said
    assert (folder / ".starling").read_text() == "mine"


def test_a_data_folder_that_is_full_of_something_else(folder: Path) -> None:
    (folder / ".starling/postgres").mkdir(parents=True)
    (folder / ".starling/postgres/novel.txt").write_text("mine")
    said = one_sentence(Program(folder))
    assert "DATA_DIR" in said
    assert (folder / ".starling/postgres/novel.txt").read_text() == "mine"


def test_modules_that_depend_on_each_other(folder: Path) -> None:
    clone = folder / "clone"
    for package in ("app", "orm", "services", "sql"):
        shutil.copytree(REPOSITORY / package, clone / package, ignore=shutil.ignore_patterns("__pycache__"))
    add_module(clone, "hens", depends="eggs")
    add_module(clone, "eggs", depends="hens")
    said = one_sentence(Program(folder, TWO_WORKERS, root=clone))
    assert "hens" in said
    assert "eggs" in said
    assert not (folder / ".starling").exists()


def add_module(clone: Path, name: str, *, depends: str) -> None:
    """A module as a user would add it: a folder, and its line in the project."""
    module = clone / "services" / name
    module.mkdir()
    (module / "__init__.py").touch()
    (module / "app.py").write_text(
        f"""\
from app.core.service import App, Info

class {name.title()}(App):
    info = Info(name={name!r}, summary="For a test.", depends=({depends!r},))
"""
    )
    with (clone / "app/project_setup.py").open("a") as project:
        project.write(f'\n\nApps.installed = (*Apps.installed, "services.{name}")\n')


@contextlib.contextmanager
def listening() -> Iterator[int]:
    """A port on which another program listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@contextlib.contextmanager
def refusing_server(code: str, message: str) -> Iterator[int]:
    """The port of a server that speaks PostgreSQL's protocol just enough to refuse every connection."""
    fields = b"".join(part.encode() + b"\0" for part in ("SFATAL", f"C{code}", f"M{message}")) + b"\0"
    refusal = b"E" + (len(fields) + 4).to_bytes(4, "big") + fields
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_refuse_all, args=(server, refusal))
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)  # ends the accept
            thread.join()


def _refuse_all(server: socket.socket, refusal: bytes) -> None:
    with contextlib.suppress(OSError):
        while True:
            connection, _ = server.accept()
            with connection, contextlib.suppress(OSError):
                while request := connection.recv(4096):
                    if request[4:8] == (80877103).to_bytes(4, "big"):  # asks for TLS
                        connection.sendall(b"N")
                        continue
                    connection.sendall(refusal)
                    break
