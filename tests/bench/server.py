"""The PostgreSQL server of a run."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.server.embedded import SUPERUSER, EmbeddedPostgres
from tests.bench.cores import Cores, choose_cores, pin


@dataclass(frozen=True)
class Server:
    """Where databases can be made, and who runs on which core."""

    url: str
    cores: Cores


@contextmanager
def database_server(given: str | None, *, max_connections: int = 50) -> Iterator[Server]:
    """The server that `given` names, or an embedded one of our own for as long as the block runs.

    The embedded one makes no promises about power cuts: what is compared are clients, not disks."""
    cores = choose_cores(owns_database=given is None)
    if given is not None:
        yield Server(given, cores)
        return
    # As root the server runs as another user, who must reach the folder.
    folder = Path(tempfile.mkdtemp(prefix="starling-bench-"))
    folder.chmod(0o755)
    try:
        with EmbeddedPostgres(folder / "data", max_connections=max_connections, is_durable=False) as postgres:
            pin(postgres.process.pid, cores.database)
            yield Server(postgres.url(role=SUPERUSER, database="postgres"), cores)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
