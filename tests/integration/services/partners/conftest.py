"""Partners are tested as a module of one's own would be, by app.testing, on the server of this run."""

import pytest


@pytest.fixture(scope="session")
def starling_server_url(server_url: str) -> str:
    """The server of this run."""
    return server_url
