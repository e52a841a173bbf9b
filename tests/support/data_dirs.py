"""Data folders with a new database in them: making one takes a second, copying it a tenth of that."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

from app.server.embedded import EmbeddedPostgres
from tests.support.program import Program, open_folder


@contextlib.contextmanager
def made_data_dir() -> Iterator[Path]:
    """A DATA_DIR as a first start leaves it behind."""
    with open_folder(in_memory=True) as folder:
        with EmbeddedPostgres(folder / "made", max_connections=10):
            pass
        yield folder / "made"


@contextlib.contextmanager
def served_data_dir() -> Iterator[Path]:
    """A DATA_DIR that the program was started on once: the tables are there, too."""
    with open_folder(in_memory=True) as folder, Program(folder) as program:
        program.wait_until_ready()
        assert program.stop() == 0
        yield folder / ".starling"


def copy_data_dir(made: Path, target: Path) -> Path:
    """A copy of `made` at `target`, owners and modes included."""
    subprocess.run(["cp", "-a", "--", made, target], check=True)
    return target
