import pytest

from services.chat.websocket.handshake import Offer, is_allowed_origin, read_offer


@pytest.mark.parametrize(
    ("offered", "expected"),
    [
        ([], Offer(None, None)),
        (["starling.v1"], Offer("starling.v1", None)),
        (["starling.v1", "bearer.abc.def"], Offer("starling.v1", "abc.def")),
        (["bearer.abc", "starling.v1"], Offer("starling.v1", "abc")),
        (["bearer.abc"], Offer(None, "abc")),
        (["chat", "soap"], Offer(None, None)),
    ],
)
def test_the_token_may_come_among_the_subprotocols(offered: list[str], expected: Offer) -> None:
    assert read_offer(offered) == expected


@pytest.mark.parametrize(
    ("origins", "host"),
    [
        ([], "chat.example"),
        (["https://chat.example"], "chat.example"),
        (["http://127.0.0.1:8000"], "127.0.0.1:8000"),
        (["http://chat.example"], "chat.example:80"),
        (["https://chat.example:443"], "chat.example"),
        (["https://CHAT.example"], "chat.EXAMPLE"),
        (["http://[::1]:8000"], "[::1]:8000"),
        (["https://app.example"], "chat.example"),  # listed
        (["https://app.example"], None),
    ],
)
def test_pages_of_this_host_and_of_listed_origins_may_open_a_socket(
    origins: list[str], host: str | None
) -> None:
    assert is_allowed_origin(origins, host, listed=("https://app.example",))


@pytest.mark.parametrize(
    ("origins", "host"),
    [
        (["https://evil.example"], "chat.example"),
        (["https://chat.example.evil.example"], "chat.example"),
        (["https://chat.example:8443"], "chat.example"),
        (["https://chat.example"], "chat.example:8443"),
        (["null"], "chat.example"),
        (["file://"], "chat.example"),
        ([""], "chat.example"),
        (["https://chat.example:x"], "chat.example"),
        (["https://[chat.example"], "chat.example"),
        (["https://chat.example"], None),
        (["https://chat.example", "https://chat.example"], "chat.example"),
    ],
)
def test_other_pages_may_not(origins: list[str], host: str | None) -> None:
    assert not is_allowed_origin(origins, host, listed=("https://app.example",))
