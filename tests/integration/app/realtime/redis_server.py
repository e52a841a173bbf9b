"""The Redis that tests may use: channels of their own on it, and nothing else."""

import os
import socket
from urllib.parse import urlsplit

import pytest


def redis_url_or_skip() -> str:
    """The URL of TEST_REDIS_URL, or of this machine's server; the test is skipped where there is none."""
    url = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379")
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname or "localhost", parts.port or 6379), timeout=1).close()
    except OSError as error:
        pytest.skip(f"there is no Redis at {parts.hostname}:{parts.port}: {error}; TEST_REDIS_URL names one")
    return url
