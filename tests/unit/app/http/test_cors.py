from app.http.cors import Cors

PAGE = "https://app.example"


def test_a_listed_origin_is_named_and_sees_our_headers() -> None:
    headers = dict(Cors([PAGE]).headers(PAGE.encode()))
    assert headers[b"access-control-allow-origin"] == PAGE.encode()
    assert headers[b"vary"] == b"Origin"
    exposed = set(headers[b"access-control-expose-headers"].decode().split(", "))
    assert exposed == {
        "Content-Disposition",
        "X-Request-ID",
        "ETag",
        "Link",
        "Location",
        "Idempotency-Replayed",
        "Retry-After",
        "X-Worker",
    }
    assert b"access-control-allow-credentials" not in headers


def test_any_other_origin_is_told_nothing_but_caches_are_warned() -> None:
    cors = Cors([PAGE])
    for origin in (
        None,
        b"https://evil.example",
        b"null",
        b"https://app.example.evil",
        b"HTTPS://APP.EXAMPLE",
    ):
        assert cors.headers(origin) == ((b"vary", b"Origin"),)
        assert cors.preflight_headers(origin) is None


def test_without_a_list_there_is_no_cors_at_all() -> None:
    cors = Cors([])
    assert cors.is_off
    assert cors.headers(PAGE.encode()) == ()
    assert cors.preflight_headers(PAGE.encode()) is None


def test_a_preflight_is_told_what_may_be_sent_and_for_how_long() -> None:
    headers = dict(Cors([PAGE]).preflight_headers(PAGE.encode()) or ())
    assert {b"PATCH", b"DELETE", b"PUT"} <= set(headers[b"access-control-allow-methods"].split(b", "))
    assert {b"Authorization", b"If-Match", b"Idempotency-Key", b"Content-Type"} <= set(
        headers[b"access-control-allow-headers"].split(b", ")
    )
    assert headers[b"access-control-max-age"] == b"600"
