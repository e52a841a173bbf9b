import base64
import json
import math
from time import time
from typing import Any

import jwt
import pytest

from app.core.errors import Unauthenticated
from services.auth_token.access_tokens import LONGEST_TOKEN, AccessTokens
from services.auth_token.settings import SigningKey

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


def raw(header: Any, payload: Any, signature: bytes = b"") -> str:
    """A token put together by hand, from values or from bytes."""
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, payload)]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (*parts, signature))


def resigned(token: str, header: dict[str, Any]) -> str:
    """The payload of a good token under another header, with a signature that fits."""
    body = raw(header, b"").partition(".")[0] + "." + token.split(".")[1]
    digest = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(body.encode(), KEY.secret)
    return f"{body}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


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


def test_the_helpers_of_these_tests_make_good_tokens() -> None:
    good = signed()

    assert TOKENS.verify(good).user_id == 7
    assert TOKENS.verify(resigned(good, HEADERS | {"alg": "HS256"})).user_id == 7


def test_a_token_expires_to_the_second() -> None:
    with pytest.raises(Unauthenticated, match="has expired"):
        TOKENS.verify(TOKENS.issue(user_id=7, session_id=11, expires_at=time() - 1))


def test_clocks_of_other_hosts_may_be_a_little_ahead() -> None:
    assert TOKENS.verify(signed(claims(iat=int(time()) + 10))).user_id == 7


GOOD = signed()
HEAD, BODY, SIGNATURE = GOOD.split(".")
NESTED = b"[" * 2500

BAD = {
    "nothing": "",
    "a dot": ".",
    "dots": "..",
    "many dots": "." * 50,
    "a word": "token",
    "two parts": f"{HEAD}.{BODY}",
    "four parts": f"{GOOD}.x",
    "no signature": f"{HEAD}.{BODY}.",
    "a cut signature": GOOD[:-5],
    "a longer signature": GOOD + "A",
    "signature of another token": f"{HEAD}.{BODY}.{signed(claims(sub='8')).split('.')[2]}",
    "payload of another token": f"{HEAD}.{signed(claims(sub='8')).split('.')[1]}.{SIGNATURE}",
    "blanks around": f" {GOOD} ",
    "padding": f"{HEAD}=.{BODY}.{SIGNATURE}",
    "no base64": f"{HEAD}.{BODY}.!!!!",
    "not ascii": GOOD + "é",
    "a surrogate": GOOD + "\ud800",
    "too long": GOOD + "A" * LONGEST_TOKEN,
    "header is a list": raw([], claims()),
    "header is a text": raw("x", claims()),
    "header is null": raw(None, claims()),
    "header is broken": raw(b"{", claims()),
    "header is not utf-8": raw(b"\xff\xfe", claims()),
    "header is nested": raw(NESTED, claims()),
    "payload is nested": raw(HEADERS | {"alg": "HS256"}, NESTED),
    "header is empty": raw({}, claims()),
    "alg none": raw(HEADERS | {"alg": "none"}, claims()),
    "alg None": raw(HEADERS | {"alg": "None"}, claims()),
    "alg nOnE with a signature": raw(HEADERS | {"alg": "nOnE"}, claims(), b"x" * 32),
    "alg is null": raw(HEADERS | {"alg": None}, claims()),
    "alg is a list": raw(HEADERS | {"alg": ["HS256"]}, claims()),
    "alg is a number": raw(HEADERS | {"alg": 256}, claims()),
    "alg in small letters": resigned(GOOD, HEADERS | {"alg": "hs256"}),
    "alg RS256 over our hash": resigned(GOOD, HEADERS | {"alg": "RS256"}),
    "HS384": signed(alg="HS384", key=b"k" * 48),
    "HS512": signed(alg="HS512", key=b"k" * 64),
    "no kid": signed(kid=None),
    "unknown kid": signed(kid="2"),
    "empty kid": signed(kid=""),
    "kid with a path": signed(kid="../../1"),
    "kid is a number": raw(HEADERS | {"alg": "HS256", "kid": 1}, claims()),
    "kid is a list": raw(HEADERS | {"alg": "HS256", "kid": ["1"]}, claims()),
    "kid is null": raw(HEADERS | {"alg": "HS256", "kid": None}, claims()),
    "kid of another key": signed(kid="0"),
    "another key": signed(key=b"x" * 32),
    "typ JWT": signed(typ="JWT"),
    "no typ": resigned(GOOD, {"alg": "HS256", "kid": "1"}),
    "typ of an id token": signed(typ="id+jwt"),
    "typ is a list": resigned(GOOD, HEADERS | {"alg": "HS256", "typ": ["at+jwt"]}),
    "a critical header": resigned(GOOD, HEADERS | {"alg": "HS256", "crit": ["exp"], "exp": 1}),
    "an empty crit": resigned(GOOD, HEADERS | {"alg": "HS256", "crit": []}),
    "a detached payload": resigned(GOOD, HEADERS | {"alg": "HS256", "b64": False, "crit": ["b64"]}),
    "no exp": signed(claims(exp=None)),
    "exp is a text": signed(claims(exp="soon")),
    "exp is a list": signed(claims(exp=[int(time()) + 60])),
    "exp is infinite": signed(claims(exp=math.inf)),
    "exp is no number": signed(claims(exp=math.nan)),
    "exp is a fraction": signed(claims(exp=time() + 60.5)),
    "exp is true": signed(claims(exp=True)),
    "exp is 0": signed(claims(exp=0)),
    "exp is negative": signed(claims(exp=-1)),
    "expired": signed(claims(exp=int(time()) - 1)),
    "no iat": signed(claims(iat=None)),
    "iat in an hour": signed(claims(iat=int(time()) + 3600)),
    "iat is a list": signed(claims(iat=[])),
    "iat is a text": signed(claims(iat="1")),
    "not before tomorrow": signed(claims(nbf=int(time()) + 86400)),
    "nbf is a list": signed(claims(nbf=[])),
    "no iss": signed(claims(iss=None)),
    "another iss": signed(claims(iss="elsewhere")),
    "iss in capitals": signed(claims(iss="Starling")),
    "iss is a list": raw(HEADERS | {"alg": "HS256"}, claims(iss=["starling"])),
    "no aud": signed(claims(aud=None)),
    "another aud": signed(claims(aud="elsewhere")),
    "several aud": signed(claims(aud=["api", "elsewhere"])),
    "aud is a number": signed(claims(aud=1)),
    "no sub": signed(claims(sub=None)),
    "sub is a number": signed(claims(sub=7)),
    "sub is a list": signed(claims(sub=["7"])),
    "sub is no number": signed(claims(sub="ada")),
    "sub is negative": signed(claims(sub="-7")),
    "sub has a blank": signed(claims(sub=" 7")),
    "sub in other digits": signed(claims(sub="\u0667")),
    "sub is too large": signed(claims(sub="9" * 30)),
    "sub is empty": signed(claims(sub="")),
    "no sid": signed(claims(sid=None)),
    "sid is a number": signed(claims(sid=11)),
    "sid is no number": signed(claims(sid="11; DROP TABLE sessions")),
    "no jti": signed(claims(jti=None)),
    "jti is a number": signed(claims(jti=1)),
}


@pytest.mark.parametrize("token", BAD.values(), ids=BAD.keys())
def test_a_bad_token_is_refused_and_nothing_else_happens(token: str) -> None:
    with pytest.raises(Unauthenticated):
        TOKENS.verify(token)
