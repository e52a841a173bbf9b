import pytest

from app.http.settings import HttpSettings


@pytest.mark.parametrize(
    "settings",
    [
        HttpSettings(),
        HttpSettings(cors_origins=("https://app.example", "http://localhost:5173", "http://[::1]:8080")),
        HttpSettings(trusted_proxies=("10.0.0.1", "10.0.0.0/8", "::1", "fd00::/8")),
        HttpSettings(allowed_hosts=("example.com", "*.example.com", "localhost", "127.0.0.1", "[::1]")),
    ],
)
def test_sensible_settings_have_no_problems(settings: HttpSettings) -> None:
    assert list(settings.problems()) == []


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "null",
        "app.example",
        "https://app.example/",
        "https://App.example",
        "ftp://x",
        "https://*.example",
    ],
)
def test_an_origin_that_no_browser_sends_is_a_problem(origin: str) -> None:
    (problem,) = HttpSettings(cors_origins=(origin,)).problems()

    assert problem.startswith(f"HTTP__CORS_ORIGINS names {origin!r}: write each origin as a browser sends it")


@pytest.mark.parametrize("network", ["proxy.example", "*", "10.0.0.0/33", "10.0.0"])
def test_a_proxy_that_is_no_address_is_a_problem(network: str) -> None:
    (problem,) = HttpSettings(trusted_proxies=(network,)).problems()

    assert problem.startswith(f"HTTP__TRUSTED_PROXIES names {network!r}")


@pytest.mark.parametrize(
    "host", ["https://example.com", "example.com:80", "ex*mple.com", "*.", "a b", "example.com/x"]
)
def test_a_host_that_cannot_match_is_a_problem(host: str) -> None:
    (problem,) = HttpSettings(allowed_hosts=(host,)).problems()

    assert problem.startswith(f"HTTP__ALLOWED_HOSTS names {host!r}")


def test_an_empty_list_of_hosts_is_a_problem() -> None:
    (problem,) = HttpSettings(allowed_hosts=()).problems()

    assert problem.startswith("HTTP__ALLOWED_HOSTS is empty")
