"""Signs users in, and tells the edge what a bearer token stands for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from starlette.applications import Starlette

from app.core.environment import Environment
from app.core.jobs import Job
from app.core.service import Info, Service
from app.http.metrics import Counter, metrics_of
from orm.errors import UsageError
from services.auth_token.access_tokens import AccessTokens
from services.auth_token.authenticator import TokenAuthenticator
from services.auth_token.device_cookies import DeviceCookies
from services.auth_token.key_uses import KeyUses
from services.auth_token.limits import SignInLimits
from services.auth_token.scopes import route_names
from services.auth_token.secret import keys_of
from services.auth_token.settings import AuthSettings
from services.auth_token.verification import Verifier
from services.security.app import SecurityService
from services.users.actions import ensure_first_administrator
from sql import statements

FORGOTTEN_AT_ONCE: Final = 1000
"""Sessions in one statement: some ten milliseconds, so that nobody waits for it."""

_TRIGGERS = statements("auth_token/triggers")
_SESSIONS = statements("auth_token/sessions")


@dataclass(frozen=True)
class _Parts:
    """What there is between start and stop."""

    tokens: AccessTokens
    device_cookies: DeviceCookies
    limits: SignInLimits
    key_uses: KeyUses
    authenticator: TokenAuthenticator
    failures: Counter


class AuthTokenService(Service):
    """Owns the keys that sign tokens, and the memory of tokens that were verified."""

    info = Info(
        name="auth_token",
        summary="Sign-in, sessions, API keys, and the tokens that stand for them.",
        depends=("dotorm_databases_postgres", "audit", "security", "users"),
    )

    def __init__(self, env: Environment) -> None:
        super().__init__(env)
        self._started: _Parts | None = None
        self.route_names: frozenset[str] = frozenset()
        """What scopes of API keys may name, known when the start is over."""

    def routines(self) -> Mapping[str, str]:
        """Triggers by which every process hears of a session or key that ends."""
        return {"sessions and keys end": _TRIGGERS["revocation"]}

    def jobs(self) -> Sequence[Job]:
        """Sessions that ended long ago are forgotten."""
        return (
            Job(name="auth_token.forget_sessions", interval_seconds=3600, work=self.forget_ended_sessions),
        )

    async def forget_ended_sessions(self) -> int:
        """How many sessions were forgotten, because they ended a week ago."""
        count = 0
        while True:
            forgotten = len(await self.env.db.run(_SESSIONS["forget"], [FORGOTTEN_AT_ONCE]))
            count += forgotten
            if forgotten < FORGOTTEN_AT_ONCE:
                return count

    @property
    def tokens(self) -> AccessTokens:
        """What issues and verifies access tokens. Raises UsageError before the start."""
        return self._parts.tokens

    @property
    def device_cookies(self) -> DeviceCookies:
        """What knows devices again. Raises UsageError before the start."""
        return self._parts.device_cookies

    @property
    def limits(self) -> SignInLimits:
        """How often signing in may fail. Raises UsageError before the start."""
        return self._parts.limits

    @property
    def failures(self) -> Counter:
        """What counts sign-ins that were refused, by `reason`. Raises UsageError before the start."""
        return self._parts.failures

    @property
    def _parts(self) -> _Parts:
        if self._started is None:
            raise UsageError("the auth_token service is not started: put it into Apps.services_before")
        return self._started

    async def startup(self, app: Starlette) -> None:
        """From now on tokens are verified. No table is read before post-init."""
        env, settings = self.env, self.env.settings.section(AuthSettings)
        keys = keys_of(settings, env.settings.data_dir)
        tokens = AccessTokens(keys, issuer=settings.issuer, audience=settings.audience)
        key_uses = KeyUses(env.db)
        security = env.service(SecurityService)
        verifier = Verifier(env.db, tokens, security.rights.current)
        authenticator = TokenAuthenticator(verifier, security.revisions, key_uses)
        limits = SignInLimits(env.db, settings, keys)
        failures = metrics_of(app).counter("starling_sign_in_failures_total", "Sign-ins that were refused.")
        self._started = _Parts(tokens, DeviceCookies(keys), limits, key_uses, authenticator, failures)
        key_uses.start()
        authenticator.start()
        env.authenticator = authenticator

    async def post_init(self, app: Starlette) -> None:
        """Make the first administrator, if there is none; and know what scopes may name."""
        self.route_names = route_names(app.state.dispatcher.targets, self.env.registry)
        settings = self.env.settings.section(AuthSettings)
        await ensure_first_administrator(
            settings.admin_login, settings.admin_password, self.env.settings.data_dir
        )

    async def shutdown(self, app: Starlette) -> None:
        """Nobody is known by a token any more."""
        self.env.authenticator = None
        if self._started is not None:
            await self._started.authenticator.stop()
            await self._started.key_uses.stop()
