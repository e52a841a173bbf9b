import hashlib
import uuid

import pytest

from services.auth_token.refresh_tokens import new_refresh_secret, read_refresh_token

FAMILY = uuid.uuid4()


def test_a_token_is_read_as_it_was_made() -> None:
    made = new_refresh_secret(FAMILY)

    assert read_refresh_token(made.text()) == made
    assert made.family == FAMILY


def test_a_token_has_256_random_bits_of_its_own() -> None:
    made = [new_refresh_secret(FAMILY) for _ in range(10)]

    assert len({token.secret for token in made}) == 10
    assert {len(token.secret) for token in made} == {32}


def test_only_a_hash_is_stored() -> None:
    made = new_refresh_secret(FAMILY)

    assert made.digest == hashlib.sha256(made.secret).digest()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "é" * 64,
        "\ud800" * 64,
        "A" * 63,
        "A" * 65,
        "A" * 68,
        "!" * 64,
        " " + "A" * 63,
        "+/" * 32,
        "=" * 64,
    ],
)
def test_what_cannot_be_a_token_is_none(text: str) -> None:
    assert read_refresh_token(text) is None
