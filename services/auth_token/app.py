"""Signs users in, and tells the edge what a bearer token stands for."""

from starlette.applications import Starlette

from app.core.environment import Environment
from app.core.service import Info, Service
from orm.errors import UsageError
from services.auth_token.access_tokens import AccessTokens
from services.auth_token.authenticator import TokenAuthenticator
from services.auth_token.secret import keys_of
from services.auth_token.settings import AuthSettings
from services.security.app import SecurityService
from services.users.actions import ensure_first_administrator


class AuthTokenService(Service):
    """Owns the keys that sign tokens, and the memory of tokens that were verified."""

    info = Info(
        name="auth_token",
        summary="Sign-in, sessions, and the tokens that stand for them.",
        depends=("dotorm_databases_postgres", "security", "users"),
    )

    def __init__(self, env: Environment) -> None:
        super().__init__(env)
        self._tokens: AccessTokens | None = None
        self._authenticator: TokenAuthenticator | None = None

    @property
    def tokens(self) -> AccessTokens:
        """What issues and verifies access tokens. Raises UsageError before the start."""
        if self._tokens is None:
            raise UsageError("the auth_token service is not started: put it into Apps.services_before")
        return self._tokens

    async def startup(self, app: Starlette) -> None:
        """From now on tokens are verified. No table is read before post-init."""
        settings = self.env.settings.section(AuthSettings)
        keys = keys_of(settings, self.env.settings.data_dir)
        self._tokens = AccessTokens(keys, issuer=settings.issuer, audience=settings.audience)
        revisions = self.env.service(SecurityService).revisions
        self._authenticator = TokenAuthenticator(self.env.db, self._tokens, revisions)
        self._authenticator.start()
        self.env.authenticator = self._authenticator

    async def post_init(self, app: Starlette) -> None:
        """Make the first administrator, if there is none."""
        settings = self.env.settings.section(AuthSettings)
        await ensure_first_administrator(
            settings.admin_login, settings.admin_password, self.env.settings.data_dir
        )

    async def shutdown(self, app: Starlette) -> None:
        """Nobody is known by a token any more."""
        self.env.authenticator = None
        if self._authenticator is not None:
            await self._authenticator.stop()
