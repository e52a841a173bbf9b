"""Connections of one address, WebSockets included."""

import contextlib
from contextlib import AsyncExitStack

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from app.http.settings import HttpSettings
from tests.unit.app.server.protocols.conftest import Serve

QUICK = b"GET /quick HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


async def test_one_connection_too_many_is_429_and_a_place_that_becomes_free_is_taken(serve: Serve) -> None:
    async with serve(HttpSettings(max_connections_per_address=2)) as world, AsyncExitStack() as opened:
        await opened.enter_async_context(connect(f"ws://127.0.0.1:{world.port}/ws"))
        _, held = await world.connect()
        await world.settled(2)
        (said,) = await world.says(QUICK)
        assert said.status == 429
        assert said.headers["retry-after"] == "1"
        assert said.problem["type"] == "urn:starling:too_many_requests"
        held.close()
        await world.settled(1)
        (said,) = await world.says(QUICK)
        assert said.status == 200
    assert world.guard.connections == 0


async def test_a_flood_gets_no_answer_at_all(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.server.protocols.guard._ANSWERED_ABOVE_LIMIT", 0)
    async with serve(HttpSettings(max_connections_per_address=1)) as world:
        _, held = await world.connect()
        await world.settled(1)
        with contextlib.suppress(ConnectionResetError):  # or an early end, whichever is seen first
            assert await world.says(QUICK) == []
        held.close()


async def test_a_trusted_proxy_is_many_clients(serve: Serve) -> None:
    http = HttpSettings(max_connections_per_address=1, trusted_proxies=("127.0.0.0/8",))
    async with serve(http) as world:
        _, held = await world.connect()
        (said,) = await world.says(QUICK)
        assert said.status == 200
        held.close()


async def test_behind_a_trusted_proxy_sockets_are_counted_by_the_forwarded_address(serve: Serve) -> None:
    http = HttpSettings(max_connections_per_address=1, trusted_proxies=("127.0.0.0/8",))
    async with serve(http) as world:
        url = f"ws://127.0.0.1:{world.port}/ws"
        of_ada, of_bob = {"X-Forwarded-For": "203.0.113.1"}, {"X-Forwarded-For": "203.0.113.2"}
        async with connect(url, additional_headers=of_ada), connect(url, additional_headers=of_bob):
            with pytest.raises(InvalidStatus) as refused:
                await connect(url, additional_headers=of_ada)
            assert refused.value.response.status_code == 429
        async with connect(url, additional_headers=of_ada):
            pass
