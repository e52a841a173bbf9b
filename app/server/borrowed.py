"""The project's database for the time of one command, whether or not `starling serve` runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from app.project_setup import Settings
from app.server.embedded import EmbeddedPostgres, running_database_url

CONNECTIONS: Final = 10
"""A command needs one or two; the rest is PostgreSQL's own reserve."""


@contextmanager
def borrowed_database(settings: Settings) -> Iterator[str]:
    """The URL of the database: the one that DATABASE__URL names, the embedded one that runs, or one
    started meanwhile.

    Raises StartError when the embedded one cannot be started.
    """
    url = settings.database.url or running_database_url(settings.data_dir)
    if url is not None:
        yield url
        return
    with EmbeddedPostgres(settings.data_dir, max_connections=CONNECTIONS) as server:
        yield server.url()
