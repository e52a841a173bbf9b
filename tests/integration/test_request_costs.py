"""What one request may cost: counts, not seconds, so that nobody makes the hot paths dearer by accident.

Calls of functions, Python's and C's, stand for CPU. Their bounds lie a fifth above what was measured with
Python 3.11 to 3.13; who makes a request cheaper lowers them, who has to raise one says why. Blocks are
pieces of memory that a request holds when it begins to answer: they vary by half from run to run.
"""

import gc
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import pytest
import pytest_asyncio
from starlette.types import Message, Receive, Scope, Send

from services.users.actions import create_user
from tests.bench.http.contestants.starling import Apps, Models
from tests.bench.http.shop.models import Category, Product
from tests.support.application import PASSWORD, RunningApplication, running_application
from tests.support.asgi import call
from tests.support.databases import fresh_schema

pytestmark = pytest.mark.asyncio(loop_scope="module")

_TIMES: Final = 10
_FIELDS: Final = "fields=id,name,price,stock,active,note,created_at,owner_id,category_id.name"
_FILTER: Final = quote('[["category_id","=",1],["active","=",true]]', safe="")
_LIST: Final = f"filter={_FILTER}&{_FIELDS}&order=-id&limit=40"
_NEW: Final = b'{"name":"New","price":"1.50","stock":3,"category_id":1}'


class Cost(NamedTuple):
    """What a request may take at most."""

    round_trips: int
    calls: int
    blocks: int


class Request(NamedTuple):
    """A request about a product, whose id stands in the place of ID."""

    method: str
    path: str
    query: str = ""
    body: bytes = b""


READ: Final = Request("GET", "/api/products/ID", _FIELDS)
LIST: Final = Request("GET", "/api/products", _LIST)
COUNTED: Final = Request("GET", "/api/products", f"{_LIST}&count=exact")
UPDATE: Final = Request("PATCH", "/api/products/ID", body=b'{"stock":7}')
CREATE: Final = Request("POST", "/api/products", body=_NEW)
DELETE: Final = Request("DELETE", "/api/products/ID")

COSTS: Final = (
    pytest.param(READ, Cost(1, 610, 175), id="read"),
    pytest.param(LIST, Cost(1, 885, 300), id="list of 40"),
    pytest.param(COUNTED, Cost(1, 895, 300), id="list of 40 with total"),
    pytest.param(UPDATE, Cost(1, 680, 175), id="update"),
    pytest.param(CREATE, Cost(1, 710, 175), id="create"),
    pytest.param(DELETE, Cost(1, 610, 175), id="delete"),
)


class Shop:
    """A project with products, and a user who has all of them, under a row rule."""

    def __init__(self, running: RunningApplication, token: str, ids: Sequence[int]) -> None:
        self.pool = running.env.db.pool
        self._app = running.app
        self._headers = (("authorization", f"Bearer {token}"), ("content-type", "application/json"))
        self._ids = iter(ids)

    async def ask(self, request: Request, on_start: Callable[[], object] | None = None) -> None:
        """Ask about a product that was not asked about before; `on_start` is called as the answer begins."""
        path = request.path.replace("ID", str(next(self._ids)))

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            def watched(message: Message) -> Awaitable[None]:
                if on_start is not None and message["type"] == "http.response.start":
                    on_start()
                return send(message)

            await self._app(scope, receive, watched)

        answer = await call(
            app, request.method, path, request.body, query=request.query, headers=self._headers
        )
        assert answer.status in (200, 201, 204), answer.body


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(run_database_url: str) -> AsyncIterator[Shop]:
    async with (
        fresh_schema(run_database_url) as url,
        running_application(url, models=Models, apps=Apps) as running,
    ):
        with running.env.system():
            ada = await create_user(login="ada", name="Ada", password=PASSWORD)
            category = await Category.create(name="Tools")
            row = {"price": "2.50", "stock": 1, "category_id": category.id, "owner_id": ada.id}
            products = [{**row, "name": f"Tool {number}"} for number in range(_TIMES * 20)]
            ids = await Product.create_bulk(products)
        yield Shop(running, (await running.sign_in("ada"))["access_token"], ids)


@pytest.mark.parametrize(("request_", "most"), COSTS)
async def test_a_request_of_a_user_under_a_rule_costs_no_more_than_it_did(
    shop: Shop, request_: Request, most: Cost
) -> None:
    cost = Cost(
        round_trips=await _least(_round_trips, shop, request_),
        calls=await _least(_calls, shop, request_),
        blocks=await _least(_blocks, shop, request_),
    )

    assert all(found <= limit for found, limit in zip(cost, most, strict=True)), f"{cost}, at most {most}"


async def _least(measured: Callable[[Shop, Request], Awaitable[int]], shop: Shop, request: Request) -> int:
    """The least of many: a connection prepares a statement when it meets it first, caches fill, and what the
    process does now and then by itself falls into one or the other."""
    gc.disable()
    try:
        return min([await measured(shop, request) for _ in range(_TIMES)])
    finally:
        gc.enable()


async def _round_trips(shop: Shop, request: Request) -> int:
    before = shop.pool.round_trips
    await shop.ask(request)
    return shop.pool.round_trips - before


async def _calls(shop: Shop, request: Request) -> int:
    """How many functions were called, Python's and C's."""
    count = 0

    def note(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        await shop.ask(request)
    finally:
        sys.setprofile(None)
    return count


async def _blocks(shop: Shop, request: Request) -> int:
    """How many pieces of memory more were in use when the answer began than before the request."""
    begun: list[int] = []
    before = sys.getallocatedblocks()
    await shop.ask(request, on_start=lambda: begun.append(sys.getallocatedblocks()))
    return begun[0] - before
