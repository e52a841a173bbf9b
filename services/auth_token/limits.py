"""How often signing in may fail, in all processes together.

Each attempt is charged before its password is looked at and given back when that was right: so any number of
attempts at the same time are no more than the limit. What is charged are buckets in the database that leak
(see models/sign_in_bucket.py). A device that the account knows has a bucket of its own, and strangers cannot
fill it; everybody else counts at his address, so that one sender cannot try many accounts, and at the
account, so that many senders cannot try one. A login that nobody has is charged like any other.

A device is known by its cookie, or by a session of the account at the same address with the same user agent.
The second is for programs without cookies, and can be told from outside by those who share both with a user.
"""

import hashlib
import hmac
import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec

from app.core.errors import TooManyRequests, Unavailable
from orm.database import Database
from services.audit.actions import record
from services.auth_token.device import Device
from services.auth_token.settings import AuthSettings, SigningKey
from services.auth_token.turns import Turns
from sql import statements

AT_A_TIME: Final = 2
"""Attempts of one device at one account that are looked at together in one process, as many as passwords are
hashed at a time. A program that signs in fifty times at once, each time with the right password, waits a
little longer: it is not taken for one that fails fifty times."""

_BUCKETS: Final = ("device", "address", "account")  # in the order in which they are charged
_NO_LIMIT_SECONDS: Final = 1e9
_SQL = statements("auth_token/buckets")


class Attempt:
    """One attempt, charged. Whoever finds that the password was right says so, and it is given back."""

    def __init__(self) -> None:
        self.is_right = False


class _Claim(msgspec.Struct, frozen=True):
    """Who says he is whom, from where: whether his cookie shows that he was here, and what a session may."""

    is_known: bool
    login: str = ""
    address: str = ""
    user_agent: str = ""


class _Limit(msgspec.Struct, frozen=True):
    """A bucket holds `burst_seconds`, and each failure takes `seconds` of them."""

    burst_seconds: float
    seconds: float

    @classmethod
    def of(cls, attempts: int, refill_seconds: int) -> "_Limit":
        if attempts == 0:
            return cls(_NO_LIMIT_SECONDS, 0.0)
        return cls(float(attempts * refill_seconds), float(refill_seconds))


class SignInLimits:
    """Charges attempts, and gives back those that were right. The first key hides what buckets stand for."""

    def __init__(self, db: Database, settings: AuthSettings, keys: Sequence[SigningKey]) -> None:
        self._db = db
        self._key = hmac.new(keys[0].secret, b"starling sign-in buckets", hashlib.sha256).digest()
        self._device = _Limit.of(settings.signin_device_attempts, settings.signin_device_refill_seconds)
        address = _Limit.of(settings.signin_address_attempts, settings.signin_address_refill_seconds)
        account = _Limit.of(settings.signin_account_attempts, settings.signin_account_refill_seconds)
        self._limits = (self._device, address, account)
        self._turns = Turns(AT_A_TIME)

    @asynccontextmanager
    async def signing_in(
        self, login: str, device: Device, known_device: str | None
    ) -> AsyncIterator[Attempt]:
        """Inside the block is one attempt to sign in with a canonical login. Raises TooManyRequests.

        `known_device` is what the account knows the device by, by its cookie, if it does.
        """
        address, user_agent = device.stored_address or "", device.stored_user_agent or ""
        names = (
            ("device", login, known_device or f"{address} {user_agent}"),
            ("address", device.network),
            ("account", login),
        )
        keys = [self._hidden(*name) for name in names]
        who = _Claim(known_device is not None, _as_text(login), address, user_agent)
        async with self._attempt(keys, self._limits, who) as attempt:
            yield attempt

    @asynccontextmanager
    async def telling_password(self, user_id: int) -> AsyncIterator[Attempt]:
        """Inside the block is one attempt of somebody who is signed in to tell his password.

        Raises TooManyRequests.
        """
        keys = [self._hidden("password", str(user_id))] * len(_BUCKETS)
        async with self._attempt(keys, (self._device,) * len(_BUCKETS), _Claim(is_known=True)) as attempt:
            yield attempt

    @asynccontextmanager
    async def _attempt(
        self, keys: list[bytes], limits: tuple[_Limit, ...], who: _Claim
    ) -> AsyncIterator[Attempt]:
        async with self._turns.taken(keys[0]):
            charged, seconds = await self._charge(keys, limits, who)
            attempt = Attempt()
            try:
                yield attempt
            except Unavailable:
                attempt.is_right = True  # for all that anybody knows: nobody has looked
                raise
            finally:
                # Not when it was cancelled: whoever goes away before he is answered has tried all the same.
                if attempt.is_right:
                    await self._db.run(_SQL["refund"], [charged, seconds])

    async def _charge(
        self, keys: list[bytes], limits: tuple[_Limit, ...], who: _Claim
    ) -> tuple[list[bytes], list[float]]:
        """What was charged, and how many seconds each was filled by."""
        bursts = [limit.burst_seconds for limit in limits]
        seconds = [limit.seconds for limit in limits]
        values = [keys, bursts, seconds, who.is_known, who.login, who.address, who.user_agent]
        ((first, refused, wait_seconds, is_news),) = await self._db.run(_SQL["charge"], values)
        if refused:
            if is_news:
                await self._tell(keys[refused - 1], _BUCKETS[refused - 1], who)
            # Nothing is known of a bucket that was made at the same moment.
            raise _too_many(wait_seconds if wait_seconds is not None else seconds[refused - 1])
        charged = slice(0, 1) if first == 1 else slice(1, 3)
        return keys[charged], seconds[charged]

    async def _tell(self, key: bytes, bucket: str, who: _Claim) -> None:
        """The audit log knows of a bucket that refuses, once an hour: a flood must not fill it."""
        async with self._db.transaction():
            rows: list[Any] = await self._db.run(_SQL["note_refusal"], [key, who.login])
            if rows:
                details = {"limit": bucket, "address": who.address}
                await record("sign_in_limited", model="users", record_id=rows[0]["user_id"], details=details)

    def _hidden(self, *name: str) -> bytes:
        return hmac.digest(self._key, "\0".join(name).encode("utf-8", "surrogatepass"), "sha256")


def _as_text(login: str) -> str:
    """What PostgreSQL can compare with logins: nobody has one with what it cannot hold."""
    return login if login.isprintable() else ""


def _too_many(wait_seconds: float) -> TooManyRequests:
    seconds = max(1, math.ceil(wait_seconds))
    return TooManyRequests(
        f"Signing in has failed too often: try again in {seconds} seconds.", retry_after_seconds=seconds
    )
