"""Tokens that somebody would send who wants to be taken for somebody else: each made from one that is good.

forge = Forge(SECRET.encode(), sub="1", sid="1")
forge.good()                        # verified, if user 1 has a session 1
for name, token in bad_tokens(forge).items(): ...      # never
"""

import base64
import hashlib
import hmac
import json
import math
from time import time
from typing import Any

import jwt

from services.auth_token.access_tokens import LONGEST_TOKEN

NESTED = b"[" * 2500


class Forge:
    """Makes tokens for one session as its server would, knowing the server's key, and others besides."""

    def __init__(
        self,
        secret: bytes,
        *,
        sub: str,
        sid: str,
        kid: str = "1",
        other_kid: str = "2",
        issuer: str = "starling",
        audience: str = "starling",
    ) -> None:
        self.secret = secret
        self.other_kid = other_kid
        self.headers: dict[str, Any] = {"alg": "HS256", "typ": "at+jwt", "kid": kid}
        self._claims = {"iss": issuer, "aud": audience, "sub": sub, "sid": sid, "jti": "unique"}

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Good claims with some changed; None leaves one out."""
        now = int(time())
        good = {**self._claims, "iat": now, "exp": now + 600}
        return {name: value for name, value in (good | changes).items() if value is not None}

    def signed(self, payload: Any = None, *, key: bytes | None = None, **headers: Any) -> str:
        """A token with a signature that fits, under a header with some changed; None leaves one out."""
        chosen = {name: value for name, value in (self.headers | headers).items() if value is not None}
        head = joined(chosen, self.claims() if payload is None else payload)
        return f"{head}.{self.signature(head, key)}"

    def signature(self, head: str, key: bytes | None = None, algorithm: str = "sha256") -> str:
        """What stands behind the second dot."""
        return text_of(hmac.new(self.secret if key is None else key, head.encode(), algorithm).digest())

    def good(self) -> str:
        """A token that is in order."""
        return self.signed()


def text_of(raw: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def joined(header: Any, payload: Any) -> str:
    """The first two parts of a token, from values or from bytes."""
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, payload)]
    return ".".join(text_of(part) for part in parts)


def bad_tokens(forge: Forge) -> dict[str, str]:
    """All of them, by what is wrong."""
    groups = (_structure, _unsigned, _other_algorithms, _headers, _signatures, _times, _names)
    found: dict[str, str] = {}
    for group in groups:
        tokens = group(forge)
        assert not tokens.keys() & found.keys(), "two of them have one name"
        found |= tokens
    return found


def _structure(forge: Forge) -> dict[str, str]:
    good = forge.good()
    head, body, signature = good.split(".")
    return {
        "nothing": "",
        "a dot": ".",
        "dots": "..",
        "many dots": "." * 50,
        "a word": "token",
        "null": "null",
        "a number": "1",
        "two parts": f"{head}.{body}",
        "four parts": f"{good}.x",
        "five parts, as if encrypted": f"{head}.{body}.{signature}.{body}.{signature}",
        "twice": good * 2,
        "twice with a comma": f"{good},{good}",
        "parts in another order": f"{body}.{head}.{signature}",
        "blanks around": f" {good} ",
        "a line feed behind": f"{good}\n",
        "a line feed within": f"{head}.\n{body}.{signature}",
        "a blank within": f"{head}. {body}.{signature}",
        "padding": f"{head}=.{body}.{signature}",
        "padding of the signature": f"{good}=",
        "no base64": f"{head}.{body}.!!!!",
        "base64 of the other alphabet": f"{head}.{body}.{'+/' * 21}A",
        "percent signs": f"{head}.{body}.%41%42",
        "a byte too many": f"{head}.{body}A.{signature}",
        "not ascii": f"{good}é",
        "letters that look alike": good.replace("e", "\u0435", 1),
        "full width": "".join(chr(ord(letter) + 0xFEE0) for letter in good[:40]),
        "emoji": "🔑" * 20,
        "right to left": f"\u202e{good}",
        "a byte order mark": f"\ufeff{good}",
        "a surrogate": f"{good}\ud800",
        "a zero byte": f"{good}\0",
        "too long": good + "A" * LONGEST_TOKEN,
        "much too long": "A" * 60_000,
        "a long payload": forge.signed(forge.claims(more="x" * LONGEST_TOKEN)),
        "many letters of one part": f"{'A' * 4000}.{body}.{signature}",
        "cut in the header": good[:10],
        "cut in the payload": good[: len(head) + 10],
        "cut in the signature": good[:-5],
        "one letter short": good[:-1],
        "as JSON": json.dumps({"protected": head, "payload": body, "signature": signature}),
    }


def _unsigned(forge: Forge) -> dict[str, str]:
    head, body, signature = forge.good().split(".")

    def under(algorithm: Any, rest: str = "") -> str:
        return f"{joined(forge.headers | {'alg': algorithm}, forge.claims())}.{rest}"

    return {
        "no signature": f"{head}.{body}.",
        "alg none": under("none"),
        "alg None": under("None"),
        "alg NONE": under("NONE"),
        "alg nOnE with a signature": under("nOnE", "x" * 43),
        "alg none with the good signature": under("none", signature),
        "alg none with a blank": under("none "),
        "alg is empty": under(""),
        "alg is null": under(None),
        "alg is true": under(True),
        "alg is a list": under(["HS256"]),
        "alg is an object": under({"alg": "HS256"}),
        "alg is a number": under(256),
        "no alg": f"{joined({'typ': 'at+jwt', 'kid': forge.headers['kid']}, forge.claims())}.{signature}",
    }


def _other_algorithms(forge: Forge) -> dict[str, str]:
    def hashed(algorithm: str, digest: str) -> str:
        head = joined(forge.headers | {"alg": algorithm}, forge.claims())
        return f"{head}.{forge.signature(head, algorithm=digest)}"

    found = {
        f"alg {algorithm} over our hash": forge.signed(alg=algorithm)
        for algorithm in (
            "RS256",
            "RS512",
            "PS256",
            "ES256",
            "ES512",
            "EdDSA",
            "HS384",
            "HS512",
            "HS1",
            "HS257",
        )
    }
    return found | {
        "alg in small letters": forge.signed(alg="hs256"),
        "alg with a blank": forge.signed(alg="HS256 "),
        "HS384 with our key": hashed("HS384", "sha384"),
        "HS512 with our key": hashed("HS512", "sha512"),
        "HS256 that is a sha1": hashed("HS256", "sha1"),
        "HS256 that is a sha512": hashed("HS256", "sha512"),
        "HS512 as its library makes it": jwt.encode(
            forge.claims(), forge.secret.ljust(64, b"."), "HS512", forge.headers | {"alg": "HS512"}
        ),
        "encrypted, by its header": forge.signed(alg="dir", enc="A256GCM"),
        "compressed, by its header": forge.signed(zip="DEF", crit=["zip"]),
    }


def _headers(forge: Forge) -> dict[str, str]:
    claims = forge.claims()

    def under(header: Any) -> str:
        head = joined(header, claims)
        return f"{head}.{forge.signature(head)}"

    kids: dict[str, Any] = {
        "unknown": forge.other_kid,
        "empty": "",
        "a path": "../../../../dev/null",
        "an absolute path": "/dev/null",
        "SQL": "1' OR '1'='1",
        "a command": "1;id",
        "a URL": "https://attacker.example/key",
        "with a zero byte": "1\0",
        "with a blank": " 1",
        "in other digits": "\u0661",
        "a number": 1,
        "a fraction": 1.0,
        "true": True,
        "null within": {"1": None},
        "a list": ["1"],
        "very long": "1" * 3000,
    }
    return {f"kid is {name}": under(forge.headers | {"kid": kid}) for name, kid in kids.items()} | {
        "no kid": forge.signed(kid=None),
        "typ JWT": forge.signed(typ="JWT"),
        "typ in capitals": forge.signed(typ="AT+JWT"),
        "typ as a media type": forge.signed(typ="application/at+jwt"),
        "no typ": forge.signed(typ=None),
        "typ of an id token": forge.signed(typ="id+jwt"),
        "typ of a refresh token": forge.signed(typ="rt+jwt"),
        "typ is a list": under(forge.headers | {"typ": ["at+jwt"]}),
        "a critical header": under(forge.headers | {"crit": ["exp"], "exp": 1}),
        "an unknown critical header": under(forge.headers | {"crit": ["x"], "x": 1}),
        "an empty crit": under(forge.headers | {"crit": []}),
        "crit is a text": under(forge.headers | {"crit": "alg"}),
        "a detached payload": under(forge.headers | {"b64": False, "crit": ["b64"]}),
        "header is a list": under([]),
        "header is a text": under("x"),
        "header is null": under(None),
        "header is a number": under(1),
        "header is empty": under({}),
        "header is broken": under(b"{"),
        "header is nothing": under(b""),
        "header is not utf-8": under(b"\xff\xfe"),
        "header is utf-16": under(json.dumps(forge.headers).encode("utf-16")),
        "header is nested": under(NESTED),
        "header and more": under(json.dumps(forge.headers).encode() + b"{}"),
        "payload is nested": forge.signed(NESTED),
        "payload is a list": forge.signed([claims]),
        "payload is a text": forge.signed("x"),
        "payload is null": forge.signed(b"null"),
        "payload is empty": forge.signed({}),
        "payload is broken": forge.signed(b'{"sub":'),
        "payload is not utf-8": forge.signed(b"\xff\xfe"),
        "payload is a token": forge.signed(forge.good().encode()),
    }


def _signatures(forge: Forge) -> dict[str, str]:
    head, body, signature = forge.good().split(".")
    other = forge.signed(forge.claims(sub="8"))
    own_key = b"a key of the attacker's own, long enough"
    jwk = {"kty": "oct", "k": text_of(own_key), "kid": forge.headers["kid"]}
    public = {
        "nothing": b"",
        "the issuer": forge.claims()["iss"].encode(),
        "the kid": forge.headers["kid"].encode(),
        "a zero byte": b"\0",
        "32 zero bytes": bytes(32),
        "the word secret": b"secret",
        "its own header": head.encode(),
        "the hash of the issuer": hashlib.sha256(forge.claims()["iss"].encode()).digest(),
        "the first half of the key": forge.secret[: len(forge.secret) // 2],
        "the key and a blank": forge.secret + b" ",
        "the key in base64": base64.b64encode(forge.secret),
        "an own key": own_key,
    }
    return {f"signed with {name}": forge.signed(key=key) for name, key in public.items()} | {
        "an own key in the header": forge.signed(key=own_key, jwk=jwk),
        "an own key by its address": forge.signed(key=own_key, jku="https://attacker.example/keys.json"),
        "an own certificate": forge.signed(key=own_key, x5u="https://attacker.example/x", x5c=["AAAA"]),
        "signature of another token": f"{head}.{body}.{other.split('.')[2]}",
        "payload of another token": f"{head}.{other.split('.')[1]}.{signature}",
        "header of another token": f"{joined(forge.headers | {'x': 1}, {}).split('.')[0]}.{body}.{signature}",
        "a longer signature": f"{head}.{body}.{signature}AAAA",
        "a signature of zeros": f"{head}.{body}.{'A' * 43}",
        "a signature in hexadecimal": f"{head}.{body}.{base64.urlsafe_b64decode(signature + '=').hex()}",
        "half of the signature": f"{head}.{body}.{signature[:22]}",
        "a signature backwards": f"{head}.{body}.{signature[::-1]}",
        "one bit of the signature": f"{head}.{body}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}",
        "the payload's signature alone": f"{head}.{body}.{forge.signature(body)}",
    }


def _times(forge: Forge) -> dict[str, str]:
    now = int(time())
    changes: dict[str, dict[str, Any]] = {
        "no exp": {"exp": None},
        "exp is a text": {"exp": str(now + 600)},
        "exp is a word": {"exp": "never"},
        "exp is a list": {"exp": [now + 600]},
        "exp is an object": {"exp": {}},
        "exp is infinite": {"exp": math.inf},
        "exp is no number": {"exp": math.nan},
        "exp is a fraction": {"exp": now + 600.5},
        "exp is true": {"exp": True},
        "exp is 0": {"exp": 0},
        "exp is negative": {"exp": -1},
        "exp beyond all clocks": {"exp": 10**400},
        "expired": {"exp": now - 1},
        "expired long ago": {"exp": now - 10**8},
        "no iat": {"iat": None},
        "iat in an hour": {"iat": now + 3600},
        "iat is a list": {"iat": []},
        "iat is a text": {"iat": str(now)},
        "iat is true": {"iat": True},
        "not before tomorrow": {"nbf": now + 86400},
        "nbf is a list": {"nbf": []},
        "nbf is a text": {"nbf": "now"},
    }
    found = {name: forge.signed(forge.claims(**change)) for name, change in changes.items()}
    null = json.dumps(forge.claims() | {"exp": None}).encode()
    return found | {"exp is null": forge.signed(null)}


def _names(forge: Forge) -> dict[str, str]:
    claims = forge.claims()
    issuer, audience, sub, sid = (claims[name] for name in ("iss", "aud", "sub", "sid"))
    changes: dict[str, dict[str, Any]] = {
        "no iss": {"iss": None},
        "another iss": {"iss": "elsewhere"},
        "iss in capitals": {"iss": issuer.upper()},
        "iss with a blank": {"iss": f"{issuer} "},
        "iss is a list": {"iss": [issuer]},
        "iss is a number": {"iss": 1},
        "iss is empty": {"iss": ""},
        "no aud": {"aud": None},
        "another aud": {"aud": "elsewhere"},
        "aud in a list": {"aud": [audience]},
        "several aud": {"aud": [audience, "elsewhere"]},
        "aud is an object": {"aud": {audience: True}},
        "aud is a number": {"aud": 1},
        "aud is empty": {"aud": ""},
        "aud begins like ours": {"aud": audience[:-1]},
        "no sub": {"sub": None},
        "sub is a number": {"sub": int(sub)},
        "sub is a list": {"sub": [sub]},
        "sub is a login": {"sub": "admin"},
        "sub is negative": {"sub": f"-{sub}"},
        "sub has a plus": {"sub": f"+{sub}"},
        "sub has a blank": {"sub": f" {sub}"},
        "sub has an underscore": {"sub": f"{sub}_0"},
        "sub in other digits": {"sub": "\u0667"},
        "sub in small digits": {"sub": "\u00b9"},
        "sub is too large": {"sub": "9" * 30},
        "sub is much too large": {"sub": "9" * 2000},
        "sub is empty": {"sub": ""},
        "sub is 0": {"sub": "0"},
        "no sid": {"sid": None},
        "sid is a number": {"sid": int(sid)},
        "sid is SQL": {"sid": f"{sid}; DROP TABLE sessions"},
        "sid is too large": {"sid": str(2**63)},
        "sid is empty": {"sid": ""},
        "sid is a list": {"sid": [sid]},
        "no jti": {"jti": None},
        "jti is a number": {"jti": 1},
    }
    return {name: forge.signed(forge.claims(**change)) for name, change in changes.items()}


def bad_keys(good: str) -> dict[str, str]:
    """What looks like an API key and is not the good one, by what is wrong."""
    mark, prefix, secret = good.split("_")
    other = "A" if secret[0] != "A" else "B"
    return {
        "the mark alone": "sk_",
        "no secret": f"sk_{prefix}",
        "an empty secret": f"sk_{prefix}_",
        "no prefix": f"sk__{secret}",
        "the secret alone": secret,
        "the prefix alone": prefix,
        "without its mark": f"{prefix}_{secret}",
        "another mark": f"pk_{prefix}_{secret}",
        "the mark in capitals": f"SK_{prefix}_{secret}",
        "the prefix in capitals": f"sk_{prefix.upper()}_{secret}" if prefix.upper() != prefix else "sk_A",
        "an unknown prefix": f"sk_{prefix[::-1]}_{secret}" if prefix[::-1] != prefix else "sk_b",
        "another secret": f"sk_{prefix}_{other}{secret[1:]}",
        "the last letter of the secret": f"sk_{prefix}_{secret[:-1]}{'A' if secret[-1] != 'A' else 'B'}",
        "the secret backwards": f"sk_{prefix}_{secret[::-1]}1"[: len(good)],
        "the secret in other case": f"sk_{prefix}_{secret.swapcase()}",
        "a letter short": good[:-1],
        "a letter too many": f"{good}A",
        "half of it": good[: len(good) // 2],
        "twice of it": good * 2,
        "the hash of the secret": f"sk_{prefix}_{hashlib.sha256(secret.encode()).hexdigest()[:43]}",
        "a wildcard": f"sk_{prefix}_{'%' * 43}",
        "an underscore for each letter": f"sk_{'_' * 12}_{'_' * 43}",
        "SQL in the prefix": "sk_' OR 1=1--_" + secret,
        "a zero byte in it": f"sk_{prefix}\0_{secret}",
        "a blank behind it": f"{good} ",
        "a line feed behind it": f"{good}\n",
        "not ascii in it": f"sk_{prefix}_{secret[:-1]}é",
        "letters that look alike in it": f"sk_{prefix}_{secret[:-1]}\u0410",
        "a very long one": f"sk_{prefix}_{secret * 500}",
        "other dashes": f"{mark}-{prefix}-{secret}",
        "dots for underscores": good.replace("_", "."),
    }
