"""Settings of sign-in: the keys that sign tokens, how long tokens live, and how often one may fail."""

import re
from collections.abc import Iterable
from typing import Annotated

import msgspec
from msgspec import Meta

from app.core.settings import SECRET, Section
from services.users.rules import LONGEST_PASSWORD, SHORTEST_PASSWORD, has_fitting_length

# HS256 gains nothing from keys longer than its hash, and is weakened by shorter ones (RFC 7518, section 3.2).
SHORTEST_SECRET_BYTES = 32

_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
_PLAIN_KEY_ID = "1"


class SigningKey(msgspec.Struct, frozen=True):
    """One key: `kid` is named in the head of every token that it signed."""

    kid: str
    secret: bytes


class AuthSettings(Section, frozen=True, kw_only=True):
    """AUTH__*. Times are in seconds.

    A device is known to an account that was signed in to with it before. Such ones count by themselves, so
    that nobody can lock a user out of them; all others count by their address and by the account.
    """

    secret: Annotated[
        str | None,
        SECRET,
        Meta(
            description="Signing key of 32 bytes or more, or kid:key,... (the first signs); unset: made once."
        ),
    ] = None
    issuer: Annotated[str, Meta(description="The iss of tokens.")] = "starling"
    audience: Annotated[str, Meta(description="The aud of tokens.")] = "starling"
    access_ttl_seconds: Annotated[int, Meta(ge=1, description="Life of an access token.")] = 900
    refresh_ttl_seconds: Annotated[int, Meta(ge=1, description="Longest life of a session.")] = 2_592_000
    idle_ttl_seconds: Annotated[int, Meta(ge=1, description="Life of a session that is not refreshed.")] = (
        604_800
    )
    signin_address_attempts: Annotated[
        int,
        Meta(
            ge=0, description="Failed sign-ins in a row from one address (IPv6: /64), then 429; 0: no limit."
        ),
    ] = 100
    signin_address_refill_seconds: Annotated[
        int, Meta(ge=1, description="After so long an address may fail once more.")
    ] = 3
    signin_account_attempts: Annotated[
        int,
        Meta(ge=0, description="The same at one account, from devices that it does not know; 0: no limit."),
    ] = 10
    signin_account_refill_seconds: Annotated[
        int, Meta(ge=1, description="After so long they may fail once more.")
    ] = 60
    signin_device_attempts: Annotated[
        int, Meta(ge=0, description="The same at one account from one device that it knows; 0: no limit.")
    ] = 10
    signin_device_refill_seconds: Annotated[
        int, Meta(ge=1, description="After so long that device may fail once more.")
    ] = 30
    admin_login: Annotated[str, Meta(description="Login of the first administrator; first start only.")] = (
        "admin"
    )
    admin_password: Annotated[
        str | None,
        SECRET,
        Meta(description="Password of the first administrator; first start only; unset: a random one."),
    ] = None

    def problems(self) -> Iterable[str]:
        """Keys that are too short or ambiguous, and lives that contradict each other."""
        if self.secret is not None:
            yield from key_problems(self.secret)
        if self.admin_password is not None and not has_fitting_length(self.admin_password):
            yield f"AUTH__ADMIN_PASSWORD has to have {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters"
        if self.access_ttl_seconds > self.refresh_ttl_seconds:
            yield (
                f"AUTH__ACCESS_TTL_SECONDS is {self.access_ttl_seconds}, "
                f"more than AUTH__REFRESH_TTL_SECONDS, {self.refresh_ttl_seconds}: "
                "an access token may not outlive its session"
            )

    def keys(self) -> tuple[SigningKey, ...]:
        """The keys that AUTH__SECRET gives, the signing one first; empty when it is unset."""
        return () if self.secret is None else signing_keys(self.secret)


def signing_keys(text: str) -> tuple[SigningKey, ...]:
    """The keys in a text that `key_problems` has nothing against, the signing one first.

    A key alone is the same as `1:key`, so that it can be rotated by writing `2:new,1:old`.
    """
    return tuple(SigningKey(kid, secret.encode()) for kid, secret in _pairs(text))


def key_problems(text: str) -> Iterable[str]:
    """One sentence for each thing that is wrong with the value of AUTH__SECRET; the keys themselves are never
    in it.
    """
    seen: set[str] = set()
    pairs = _pairs(text)
    for number, (kid, secret) in enumerate(pairs, start=1):
        which = f"key {number} of AUTH__SECRET" if len(pairs) > 1 else "AUTH__SECRET"
        if not _KEY_ID.fullmatch(kid):
            yield f"{which} has no usable key id: write kid:key, the kid of 1 to 32 letters, digits, - or _"
        elif kid in seen:
            yield f"{which} repeats the id {kid}: give every key an id of its own"
        seen.add(kid)
        length = len(secret.encode())
        if length < SHORTEST_SECRET_BYTES:
            yield (
                f"{which} has {length} bytes: write {SHORTEST_SECRET_BYTES} or more, "
                "for example what `openssl rand -hex 32` prints"
            )


def _pairs(text: str) -> list[tuple[str, str]]:
    if ":" not in text and "," not in text:
        return [(_PLAIN_KEY_ID, text)]
    pairs = []
    for part in text.split(","):
        kid, colon, secret = part.strip().partition(":")
        pairs.append((kid, secret) if colon else ("", part.strip()))
    return pairs
