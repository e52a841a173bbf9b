import re

import pytest

from services.auth_token.api_keys import KeySecret, new_api_key, read_api_key


def test_a_key_is_read_as_it_was_written() -> None:
    key = new_api_key()

    assert read_api_key(key.text()) == key


def test_a_key_shows_what_it_is_and_its_prefix() -> None:
    key = new_api_key()

    assert re.fullmatch(r"sk_[a-z0-9]{12}_[A-Za-z0-9]{43}", key.text())
    assert key.text().startswith(f"sk_{key.prefix}_")


def test_no_two_keys_are_alike() -> None:
    keys = [new_api_key() for _ in range(100)]

    assert len({key.prefix for key in keys}) == len({key.secret for key in keys}) == 100


def test_what_is_stored_is_a_hash_of_the_secret_alone() -> None:
    key = KeySecret("a" * 12, "B" * 43)

    assert len(key.digest) == 32
    assert key.digest == KeySecret("z" * 12, "B" * 43).digest != KeySecret("a" * 12, "C" * 43).digest


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sk_",
        "sk__",
        f"sk_{'a' * 12}",
        f"sk_{'a' * 12}_",
        f"sk_{'a' * 12}_{'B' * 42}",
        f"sk_{'a' * 12}_{'B' * 44}",
        f"sk_{'a' * 11}_{'B' * 43}",
        f"sk_{'A' * 12}_{'B' * 43}",
        f"sk_{'a' * 12}-{'B' * 43}",
        f"SK_{'a' * 12}_{'B' * 43}",
        f"pk_{'a' * 12}_{'B' * 43}",
        f"sk_{'a' * 12}_{'B' * 42}_",
        f"sk_{'a' * 12}_{'B' * 42}é",
        f"sk_{'a' * 12}_{'B' * 43}\n",
        f" sk_{'a' * 12}_{'B' * 43}",
    ],
)
def test_anything_else_is_no_key(text: str) -> None:
    assert read_api_key(text) is None
