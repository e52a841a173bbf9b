"""A client of the application in the process of the test."""

from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx
from starlette.applications import Starlette

from app.testing.socket import Socket, open_socket


class Client(httpx.AsyncClient):
    """An httpx client whose requests go to the application without a network.

    `user` is what /signin said of the one who is signed in here (id, login, name, is_admin); empty when
    nobody is.
    """

    def __init__(self, app: Starlette, *, token: str | None, address: str) -> None:
        super().__init__(
            transport=httpx.ASGITransport(app, client=(address, 4711)),
            base_url="http://testserver",
            headers={"User-Agent": "app.testing"} | ({"Authorization": f"Bearer {token}"} if token else {}),
        )
        self.token = token
        self.user: dict[str, Any] = {}
        self._app = app

    @property
    def id(self) -> int:
        """The id of the user who is signed in here."""
        return int(self.user["id"])

    def socket(self) -> AbstractAsyncContextManager[Socket]:
        """A socket at /ws/chat that is signed in as the same user."""
        return open_socket(self._app, token=self.token)
