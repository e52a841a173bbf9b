from time import time
from typing import Any

import jwt
import pytest

from app.core.errors import Unauthenticated
from services.auth_token.access_tokens import AccessTokens
from services.auth_token.settings import SigningKey
from tests.support.bad_tokens import Forge, bad_tokens

KEY = SigningKey("1", b"k" * 32)
OLD_KEY = SigningKey("0", b"o" * 32)
TOKENS = AccessTokens((KEY, OLD_KEY), issuer="starling", audience="api")

HEADERS = {"typ": "at+jwt", "kid": "1"}


def claims(**changes: Any) -> dict[str, Any]:
    """Good claims with some changed; None leaves one out."""
    now = int(time())
    good = {
        "iss": "starling",
        "aud": "api",
        "sub": "7",
        "sid": "11",
        "jti": "unique",
        "iat": now,
        "exp": now + 60,
    }
    return {name: value for name, value in (good | changes).items() if value is not None}


def signed(payload: dict[str, Any] | None = None, *, key: bytes = KEY.secret, **headers: Any) -> str:
    """A token signed with `key`, headers changed; None leaves one out."""
    chosen = {name: value for name, value in (HEADERS | headers).items() if value is not None}
    algorithm = chosen.pop("alg", "HS256")
    return jwt.encode(payload or claims(), key, algorithm=algorithm, headers=chosen)


def test_a_token_says_for_whom_it_was_issued() -> None:
    expires_at = time() + 900

    found = TOKENS.verify(TOKENS.issue(user_id=7, session_id=11, expires_at=expires_at))

    assert (found.user_id, found.session_id, found.expires_at) == (7, 11, int(expires_at))


def test_a_token_is_a_jwt_in_the_profile_for_access_tokens() -> None:
    token = TOKENS.issue(user_id=7, session_id=11, expires_at=time() + 900)

    payload = jwt.decode(token, KEY.secret, algorithms=["HS256"], audience="api")
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "at+jwt", "kid": "1"}
    assert set(payload) == {"iss", "aud", "sub", "sid", "jti", "iat", "exp"}
    assert (payload["iss"], payload["sub"], payload["sid"]) == ("starling", "7", "11")


def test_no_two_tokens_are_alike() -> None:
    expires_at = time() + 900
    issued = {TOKENS.issue(user_id=7, session_id=11, expires_at=expires_at) for _ in range(10)}

    assert len(issued) == 10


def test_a_token_of_an_older_key_is_good_while_that_key_is_kept() -> None:
    token = AccessTokens((OLD_KEY,), issuer="starling", audience="api").issue(
        user_id=7, session_id=11, expires_at=time() + 900
    )

    assert TOKENS.verify(token).user_id == 7
    with pytest.raises(Unauthenticated):
        AccessTokens((KEY,), issuer="starling", audience="api").verify(token)


def test_the_first_key_signs() -> None:
    token = TOKENS.issue(user_id=7, session_id=11, expires_at=time() + 900)

    assert jwt.get_unverified_header(token)["kid"] == "1"


def test_a_token_expires_to_the_second() -> None:
    with pytest.raises(Unauthenticated, match="has expired"):
        TOKENS.verify(TOKENS.issue(user_id=7, session_id=11, expires_at=time() - 1))


def test_clocks_of_other_hosts_may_be_a_little_ahead() -> None:
    assert TOKENS.verify(signed(claims(iat=int(time()) + 10))).user_id == 7


BAD = bad_tokens(Forge(KEY.secret, sub="7", sid="11", kid="1", other_kid="2", audience="api"))


def test_the_corpus_of_bad_tokens_is_made_from_a_good_one() -> None:
    forge = Forge(KEY.secret, sub="7", sid="11", kid="1", other_kid="2", audience="api")

    assert TOKENS.verify(forge.good()).user_id == 7
    assert len(BAD) >= 150


def test_another_key_of_ours_does_not_sign_for_this_one() -> None:
    with pytest.raises(Unauthenticated):
        TOKENS.verify(signed(kid="0"))


@pytest.mark.parametrize("token", BAD.values(), ids=BAD.keys())
def test_a_bad_token_is_refused_and_nothing_else_happens(token: str) -> None:
    with pytest.raises(Unauthenticated):
        TOKENS.verify(token)
