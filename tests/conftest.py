"""What every test may ask for: the database server of the run."""

import gc
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.util import find_spec

import pytest

from app.testing.server import database_server
from tests.support.faults.table import pytest_terminal_summary
from tests.support.memory_folder import memory_folder

__all__ = ["pytest_terminal_summary"]  # a hook: the table of the fault suite


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are cores: a quarter of the time tests wait for what they started."""
    return (os.cpu_count() or 1) + 1


def pytest_configure() -> None:
    """The garbage collector looks seldom: thousands of tests that are collected stay, and going through them
    after every 700 new objects is a quarter of the time of collecting them."""
    gc.set_threshold(10_000, 20, 50)


@pytest.fixture(scope="session", autouse=True)
def known_to_be_missing() -> Iterator[None]:
    """sniffio, which httpx tries to import at each request within the process: looking for what is not
    installed is a third of the time of a small one."""
    with pytest.MonkeyPatch.context() as patch:
        if find_spec("sniffio") is None:
            patch.setitem(sys.modules, "sniffio", None)
        yield


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """The URL of a PostgreSQL server on which tests make databases of their own."""
    with ExitStack() as stack:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(tempfile, "tempdir", str(memory_folder()))
            url = stack.enter_context(database_server(max_connections=200))
        yield url
