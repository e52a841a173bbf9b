"""A started application in the process of the test, and how to talk to it."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Collection, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec
from starlette.applications import Starlette

from app.core.environment import Environment
from app.core.settings import catalog
from app.main import create_app
from app.testing.client import Client
from app.testing.lifespan import lifespan
from app.testing.project import Project
from app.testing.socket import Socket, open_socket

ADMIN: Final = "admin"
PASSWORD: Final = "correct horse battery staple"  # noqa: S105  # a made-up one
"""Of the first administrator and of everybody whom `as_user` makes."""

_SECRET: Final = "a key that signs tokens in tests and nowhere else"  # noqa: S105  # it says so


class AsUser(Protocol):
    """The fixture `as_user`."""

    def __call__(
        self, login: str | None = None, *, roles: Collection[str] | None = None, is_admin: bool = False
    ) -> Awaitable[Client]:
        """See StarlingApp.as_user."""


class StarlingApp:
    """The project between its start and its stop. `env` is its Environment, `app` the ASGI application.

    Nobody is bound to the test's own context: model verbs go into `with starling.env.system():`.
    """

    def __init__(self, app: Starlette, env: Environment, clients: AsyncExitStack) -> None:
        self.app = app
        self.env = env
        self._clients = clients
        self._loop = asyncio.get_running_loop()
        self._numbers = itertools.count(1)
        self._admin: Client | None = None
        self._logins: set[str] = {ADMIN}

    async def client(self, *, token: str | None = None) -> Client:
        """A client that sends `token` as a bearer token, or one that nobody is signed in at.

        Each has an address of its own, so that limits by address are not reached by tests with many users.
        """
        self._check_loop()
        number = next(self._numbers)
        address = f"198.18.{number // 250 % 256}.{number % 250 + 1}"  # a block that is set apart for tests
        return await self._clients.enter_async_context(Client(self.app, token=token, address=address))

    async def as_user(
        self, login: str | None = None, *, roles: Collection[str] | None = None, is_admin: bool = False
    ) -> Client:
        """A client that is signed in, in a session of its own, as a user of that login.

        A login that was not seen before is made into a user with exactly the roles of these codes, or with
        those that a new user of the project gets. Without a login one is made up. Raises AssertionError when
        a role does not exist, or when an existing user is asked for with other rights.
        """
        login = login or f"user{next(self._numbers)}"
        if login in self._logins:
            if roles is not None or is_admin:
                raise AssertionError(
                    f"{login} is there already: sign in with as_user({login!r}), or take another"
                )
        else:
            await self._make(login, roles, is_admin)
        return await self.sign_in(login)

    async def as_admin(self) -> Client:
        """A client that is signed in as the first administrator."""
        if self._admin is None:
            self._admin = await self.sign_in(ADMIN)
        return self._admin

    async def sign_in(self, login: str, password: str = PASSWORD) -> Client:
        """A client that is signed in with these. Raises AssertionError when they are refused."""
        anonymous = await self.client()
        answer = await anonymous.post("/signin", json={"login": login, "password": password})
        signed_in = _expect(answer, 200)
        client = await self.client(token=signed_in["access_token"])
        client.user = signed_in["user"]
        return client

    def socket(self, client: Client | None = None) -> AbstractAsyncContextManager[Socket]:
        """A socket at /ws/chat, signed in as the user of `client`, or as nobody yet."""
        self._check_loop()
        return open_socket(self.app, token=client.token if client is not None else None)

    async def _make(self, login: str, roles: Collection[str] | None, is_admin: bool) -> None:
        admin = await self.as_admin()
        body = {"login": login, "name": login.title(), "password": PASSWORD, "is_admin": is_admin}
        made = _expect(await admin.post("/api/users", json=body), 201)
        self._logins.add(login)
        if roles is not None:  # these, and not also those that a new user gets
            role_ids = await self._role_ids(admin, roles)
            _expect(await admin.patch(f"/api/users/{made['id']}", json={"role_ids": role_ids}), 200)

    async def _role_ids(self, admin: Client, codes: Iterable[str]) -> list[int]:
        found = _expect(await admin.get("/api/roles", params={"fields": "id,code", "limit": 500}), 200)
        ids = {role["code"]: role["id"] for role in found["data"]}
        unknown = [code for code in codes if code not in ids]
        if unknown:
            raise AssertionError(
                f"there is no role {', '.join(unknown)}; there are: {', '.join(sorted(ids)) or 'none'}"
            )
        return [ids[code] for code in codes]

    def _check_loop(self) -> None:
        if asyncio.get_running_loop() is not self._loop:
            raise AssertionError(
                "this test runs in another event loop than the `starling` fixture: set "
                "asyncio_default_test_loop_scope in pytest's configuration instead of loop_scope on a test"
            )


@asynccontextmanager
async def started(
    project: Project, database_url: str, data_dir: Path, environ: Mapping[str, str]
) -> AsyncIterator[StarlingApp]:
    """The project, started on that database with the settings of tests and `environ`. Raises StartError."""
    usual = {
        "DATABASE__URL": database_url,
        "DATA_DIR": str(data_dir),
        "AUTH__SECRET": _SECRET,
        "AUTH__ADMIN_LOGIN": ADMIN,
        "AUTH__ADMIN_PASSWORD": PASSWORD,
        "PUBSUB__BACKEND": "memory",
        "LOGGER__LEVEL": "warning",
    }
    known = {setting.name for setting in catalog(project.settings)}
    given = {name: value for name, value in usual.items() if name in known} | dict(environ)
    env = Environment(project.settings.load(given, env_file=None), project.models, project.apps)
    app = create_app(env)
    async with AsyncExitStack() as clients, lifespan(app):
        yield StarlingApp(app, env, clients)


def _expect(answer: Any, status: int) -> Any:
    if answer.status_code != status:
        request = f"{answer.request.method} {answer.request.url.path}"
        raise AssertionError(f"{request} answered {answer.status_code}, not {status}: {answer.text}")
    return msgspec.json.decode(answer.content)
