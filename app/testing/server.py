"""The PostgreSQL server of a run."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.core.errors import StartError
from app.server.embedded import SUPERUSER, EmbeddedPostgres


@contextmanager
def database_server(*, max_connections: int = 100) -> Iterator[str]:
    """The URL of a server on which databases can be made: TEST_DATABASE_URL, or an embedded one with so many
    connections for the block.

    The embedded one gives up its promises about power cuts for a fifth of the time."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    # Not below pytest's own folder: as root the server runs as another user, who must reach it.
    folder = Path(tempfile.mkdtemp(prefix="starling-tests-"))
    folder.chmod(0o755)
    server = EmbeddedPostgres(folder / "data", max_connections=max_connections, is_durable=False)
    try:
        try:
            server.__enter__()
        except StartError as error:
            pytest.fail(
                f"there is no database for the tests: {error}; or set TEST_DATABASE_URL", pytrace=False
            )
        yield server.url(role=SUPERUSER, database="postgres")
    finally:
        server.close()
        shutil.rmtree(folder, ignore_errors=True)
