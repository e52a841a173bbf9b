"""A real application on a real database, without a server: what integration tests talk to over HTTP.

    async with running_application(database_url) as running:
        ada = await running.as_user("ada")
        assert (await ada.get("/me")).json()["login"] == "ada"

Two of them on one database are two worker processes to each other, except that they share an event loop.
"""

import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx
from starlette.applications import Starlette

from app.core.environment import Environment
from app.core.models import ModelsCore
from app.core.service import AppsCore
from app.main import create_app
from app.project_setup import Apps, Models, Settings
from app.testing.lifespan import lifespan
from services.auth_token.settings import AuthSettings
from services.dotorm_databases_postgres.settings import DatabaseSettings
from services.users.actions import create_user
from services.users.models import User

ADMIN: Final = "admin"
PASSWORD: Final = "correct horse battery staple"
SECRET: Final = "a key that signs tokens in tests and nowhere else"


class RunningApplication:
    """An application between its start and its stop, and the clients that talk to it.

    Nobody is bound to the test's own context: model verbs go into `with running.env.system():`.
    """

    def __init__(self, app: Starlette, env: Environment, clients: AsyncExitStack) -> None:
        self.app = app
        self.env = env
        self._clients = clients

    async def client(self, *, token: str | None = None, address: str = "203.0.113.9") -> httpx.AsyncClient:
        """A client that sends `token` with each request, or that nobody is signed in at."""
        headers = {"User-Agent": "a test"} | ({"Authorization": f"Bearer {token}"} if token else {})
        transport = httpx.ASGITransport(self.app, client=(address, 4711))
        return await self._clients.enter_async_context(
            httpx.AsyncClient(transport=transport, base_url="http://testserver", headers=headers)
        )

    async def sign_in(self, login: str, password: str = PASSWORD) -> dict[str, Any]:
        """The answer of /signin, as it came: tokens and user."""
        client = await self.client()
        answer = await client.post("/signin", json={"login": login, "password": password})
        assert answer.status_code == 200, answer.text
        signed_in: dict[str, Any] = answer.json()
        return signed_in

    async def as_user(self, login: str, *, is_admin: bool = False) -> httpx.AsyncClient:
        """A client that is signed in as that user, who is made if he is missing, in a session of its own."""
        with self.env.system():
            if not await User.exists([("login", "=", login)]):
                await create_user(login=login, name=login.title(), password=PASSWORD, is_admin=is_admin)
        return await self.client(token=(await self.sign_in(login))["access_token"])

    async def as_admin(self) -> httpx.AsyncClient:
        """A client that is signed in as the first administrator."""
        return await self.as_user(ADMIN)


@asynccontextmanager
async def running_application(
    database_url: str,
    *,
    models: type[ModelsCore] = Models,
    apps: type[AppsCore] = Apps,
    **settings: Any,
) -> AsyncIterator[RunningApplication]:
    """The application of this project, or of other `models` and `apps`, started on that database.

    `settings` are arguments of Settings, such as `auth=AuthSettings(...)`. By default the first administrator
    and everybody else has PASSWORD, and DATA_DIR is a folder that is gone afterwards.
    """
    async with AsyncExitStack() as clients:
        folder = clients.enter_context(tempfile.TemporaryDirectory(prefix="starling-test-"))
        given: dict[str, Any] = {
            "database": DatabaseSettings(url=database_url),
            "auth": AuthSettings(secret=SECRET, admin_login=ADMIN, admin_password=PASSWORD),
            "data_dir": Path(folder) / "data",
        }
        env = Environment(Settings(**(given | settings)), models, apps)
        app = create_app(env)
        async with lifespan(app):
            yield RunningApplication(app, env, clients)
