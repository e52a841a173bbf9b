import re

import pytest

from services.auth_token.device_cookies import MOST_LOGINS, DeviceCookies
from services.auth_token.settings import SigningKey

KEY, OLD_KEY = SigningKey("1", b"k" * 32), SigningKey("0", b"o" * 32)
COOKIES = DeviceCookies((KEY, OLD_KEY))


def test_a_device_is_known_to_the_login_that_was_used_on_it_and_to_no_other() -> None:
    cookie = COOKIES.with_login(None, "ada")

    assert COOKIES.known(cookie, "ada")
    assert COOKIES.known(cookie, "bob") is None
    assert COOKIES.known(cookie, "") is None


def test_a_device_keeps_its_name_and_the_logins_before() -> None:
    first = COOKIES.with_login(None, "ada")
    both = COOKIES.with_login(first, "bob")

    assert COOKIES.known(both, "ada") == COOKIES.known(both, "bob") == COOKIES.known(first, "ada")


def test_no_two_devices_have_one_name() -> None:
    one, other = COOKIES.with_login(None, "ada"), COOKIES.with_login(None, "ada")

    assert COOKIES.known(one, "ada") != COOKIES.known(other, "ada")


def test_a_cookie_is_made_of_what_cookies_may_have_and_names_nobody() -> None:
    cookie = COOKIES.with_login(None, "ada lovelace; Path=/")

    assert re.fullmatch(r"[A-Za-z0-9._~-]+", cookie)
    assert "ada" not in cookie


def test_signing_in_again_makes_it_no_longer() -> None:
    cookie = COOKIES.with_login(None, "ada")

    assert COOKIES.with_login(cookie, "ada") == cookie


def test_of_many_logins_the_last_ones_are_kept() -> None:
    cookie = None
    for number in range(MOST_LOGINS + 3):
        cookie = COOKIES.with_login(cookie, f"user{number}")

    known = [number for number in range(MOST_LOGINS + 3) if COOKIES.known(cookie, f"user{number}")]
    assert known == list(range(3, MOST_LOGINS + 3))


def test_a_cookie_of_an_older_key_is_good_while_that_key_is_kept() -> None:
    cookie = DeviceCookies((OLD_KEY,)).with_login(None, "ada")

    assert COOKIES.known(cookie, "ada")
    assert DeviceCookies((KEY,)).known(cookie, "ada") is None
    both = COOKIES.with_login(cookie, "ada")
    assert DeviceCookies((KEY,)).known(both, "ada") == COOKIES.known(cookie, "ada")


def test_a_cookie_of_another_server_is_none_of_ours() -> None:
    cookie = DeviceCookies((SigningKey("1", b"x" * 32),)).with_login(None, "ada")

    assert COOKIES.known(cookie, "ada") is None


GOOD = COOKIES.with_login(None, "ada")
NAME, SIGNATURE = GOOD.split(".")


@pytest.mark.parametrize(
    "cookie",
    [
        None,
        "",
        ".",
        NAME,
        SIGNATURE,
        f".{SIGNATURE}",
        f"{NAME}.",
        f"{NAME}.{SIGNATURE[:-1]}",
        f"{NAME}.{SIGNATURE}A",
        f"{NAME[::-1]}.{SIGNATURE}",
        f"{NAME}.{SIGNATURE.replace('1~', '0~')}",
        f"{NAME}.{SIGNATURE.replace('1~', '7~')}",
        f"{NAME}.{SIGNATURE.replace('1~', '~')}",
        f"{NAME}.1~{'A' * 22}",
        f"{NAME}é.{SIGNATURE}",
        f"{GOOD}\n",
        GOOD.swapcase(),
        GOOD * 1000,
    ],
    ids=map(str, range(18)),  # the cookies differ from run to run
)
def test_any_other_cookie_makes_no_device_known_and_is_replaced(cookie: str | None) -> None:
    assert COOKIES.known(cookie, "ada") is None
    assert COOKIES.known(COOKIES.with_login(cookie, "bob"), "bob")
