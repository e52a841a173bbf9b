import pytest

from app.core.errors import Malformed
from app.http.hosts import AllowedHosts

LISTED = ("example.com", "*.Example.org", "[::1]", "10.0.0.1")


@pytest.mark.parametrize(
    "host",
    [
        b"example.com",
        b"EXAMPLE.com:8000",
        b"example.com.",
        b"a.example.org",
        b"a.b.example.org:1",
        b"[::1]:8000",
        b"[::1]",
        b"10.0.0.1:80",
    ],
)
def test_a_listed_host_is_served(host: bytes) -> None:
    AllowedHosts(LISTED).check(host)


@pytest.mark.parametrize(
    "host",
    [
        None,
        b"",
        b"evil.com",
        b"example.com.evil.com",
        b"evilexample.com",
        b"example.org",
        b"evilexample.org",
        b"example.com,evil.com",
        b"[::2]",
        b"[::1",
        b"\xff",
    ],
)
def test_any_other_host_is_malformed(host: bytes | None) -> None:
    with pytest.raises(Malformed):
        AllowedHosts(LISTED).check(host)


@pytest.mark.parametrize("host", [None, b"", b"anything"])
def test_a_star_serves_every_host(host: bytes | None) -> None:
    AllowedHosts(("*",)).check(host)
