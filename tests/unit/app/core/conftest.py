from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.module_folders import ModuleFolders, module_folders


@pytest.fixture
def folders(tmp_path: Path) -> Iterator[ModuleFolders]:
    """A place to write module folders that the test can install."""
    with module_folders(tmp_path) as made:
        yield made
