"""What every test may ask for: the database server of the run."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.server.embedded import SUPERUSER, EmbeddedPostgres
from tests.support.faults.table import pytest_terminal_summary

__all__ = ["pytest_terminal_summary"]  # a hook: the table of the fault suite


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are cores: a quarter of the time tests wait for what they started."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """The URL of a PostgreSQL server on which tests make databases of their own.

    TEST_DATABASE_URL names one; without it an embedded server runs for as long as the tests do. It gives up
    its promises about power cuts, which no test here is about, for a fifth of the time."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    # Not below pytest's own folder: as root the server runs as another user, who must reach it.
    folder = Path(tempfile.mkdtemp(prefix="starling-tests-"))
    folder.chmod(0o755)
    try:
        with EmbeddedPostgres(folder / "data", max_connections=200, is_durable=False) as server:
            yield server.url(role=SUPERUSER, database="postgres")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
