import pytest

from app.http.proxies import TrustedProxies

NETWORKS = ("10.0.0.0/8", "192.0.2.7", "2001:db8::/32")


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "client"),
    [
        ("10.1.2.3", b"203.0.113.5", "203.0.113.5"),
        ("10.1.2.3", b"203.0.113.5:4711", "203.0.113.5"),
        ("10.1.2.3", b"[2a00::1]:4711", "2a00::1"),
        ("10.1.2.3", b"2a00::1", "2a00::1"),
        ("::ffff:10.1.2.3", b"203.0.113.5", "203.0.113.5"),
        ("2001:db8::9", b"203.0.113.5", "203.0.113.5"),
        # what the client wrote itself stands before what the proxy added
        ("10.1.2.3", b"1.1.1.1, 203.0.113.5", "203.0.113.5"),
        ("10.1.2.3", b"1.1.1.1, 203.0.113.5, 192.0.2.7, 10.9.9.9", "203.0.113.5"),
        ("10.1.2.3", b"garbage, 10.9.9.9", "10.9.9.9"),
        ("10.1.2.3", b"10.8.8.8, 10.9.9.9", "10.8.8.8"),
        ("10.1.2.3", b"garbage", "10.1.2.3"),
        ("10.1.2.3", b"", "10.1.2.3"),
        ("10.1.2.3", None, "10.1.2.3"),
        # nobody whom we trust
        ("203.0.113.9", b"1.1.1.1", "203.0.113.9"),
        ("192.0.2.8", b"1.1.1.1", "192.0.2.8"),
        ("testclient", b"1.1.1.1", "testclient"),
    ],
)
def test_the_client_is_the_last_address_that_is_no_proxy(
    peer: str, forwarded_for: bytes | None, client: str
) -> None:
    scope = {"client": (peer, 1), "scheme": "http"}
    TrustedProxies(NETWORKS).apply(scope, forwarded_for, None)
    assert scope["client"][0] == client


@pytest.mark.parametrize(
    ("peer", "before", "proto", "after"),
    [
        ("10.1.2.3", "http", b"https", "https"),
        ("10.1.2.3", "http", b"HTTPS", "https"),
        ("10.1.2.3", "ws", b"https", "wss"),
        ("10.1.2.3", "ws", b"wss", "wss"),
        ("10.1.2.3", "http", b"https, http", "http"),
        ("10.1.2.3", "http", b"http, https", "https"),
        ("10.1.2.3", "http", b"gopher", "http"),
        ("10.1.2.3", "http", None, "http"),
        ("203.0.113.9", "http", b"https", "http"),
    ],
)
def test_the_scheme_is_what_a_trusted_proxy_says(
    peer: str, before: str, proto: bytes | None, after: str
) -> None:
    scope = {"client": (peer, 1), "scheme": before}
    TrustedProxies(NETWORKS).apply(scope, None, proto)
    assert scope["scheme"] == after


def test_a_peer_without_an_address_is_trusted_with_nothing() -> None:
    scope = {"client": None, "scheme": "http"}
    TrustedProxies(NETWORKS).apply(scope, b"1.1.1.1", b"https")
    assert scope == {"client": None, "scheme": "http"}
