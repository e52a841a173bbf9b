"""What every test may ask for: the database server of the run."""

import os
from collections.abc import Iterator

import pytest

from app.testing.server import database_server
from tests.support.faults.table import pytest_terminal_summary

__all__ = ["pytest_terminal_summary"]  # a hook: the table of the fault suite


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are cores: a quarter of the time tests wait for what they started."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """The URL of a PostgreSQL server on which tests make databases of their own."""
    with database_server(max_connections=200) as url:
        yield url
