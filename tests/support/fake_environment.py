"""An environment without modules, models or database: what the HTTP edge asks of one, and no more."""

from collections.abc import Mapping
from typing import NoReturn

from app.core.access import AccessSession
from app.core.errors import Unauthenticated
from app.core.settings import SettingsCore
from app.http.settings import HttpSettings


class FakeSettings(SettingsCore, frozen=True, kw_only=True):
    """The one section that the edge reads."""

    http: HttpSettings = HttpSettings()


class FakeAuthenticator:
    """Knows its tokens by heart. Those in `remembered` need no verification; `asked` lists what had one."""

    def __init__(self) -> None:
        self.sessions: dict[str, AccessSession] = {}
        self.remembered: dict[str, AccessSession] = {}
        self.asked: list[str] = []

    def cached(self, token: str) -> AccessSession | None:
        """See Authenticator."""
        return self.remembered.get(token)

    async def verify_access(self, token: str) -> AccessSession:
        """See Authenticator."""
        self.asked.append(token)
        try:
            return self.sessions[token]
        except KeyError:
            raise Unauthenticated("This token is not valid.") from None


class FakeEnvironment:
    """Ready from the start. The tokens `ada` and `bob` are those of users 1 and 2; ada's is remembered."""

    def __init__(self, http: HttpSettings | None = None) -> None:
        self.settings = FakeSettings(http=http or HttpSettings())
        self.worker = "w0rker"
        self.is_ready = True
        self.failing: dict[str, str] = {}
        self.policy = None
        fake = FakeAuthenticator()
        fake.sessions = {
            "ada": AccessSession(user_id=1, login="ada", name="Ada"),
            "bob": AccessSession(user_id=2, login="bob", name="Bob"),
        }
        fake.remembered = {"ada": fake.sessions["ada"]}
        self.fake_authenticator = fake
        self.authenticator: FakeAuthenticator | None = fake

    @property
    def db(self) -> NoReturn:
        """There is none, and nothing here should ask for it."""
        raise AssertionError("the edge touched the database")

    @property
    def registry(self) -> NoReturn:
        """There is none, either."""
        raise AssertionError("the edge touched the models")

    def marks(self) -> Mapping[str, str]:
        """See Environment."""
        return {}

    def unready(self) -> dict[str, str]:
        """See Environment."""
        return self.failing
