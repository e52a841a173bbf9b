from typing import Annotated, Any

import msgspec
import pytest
from msgspec import Meta
from starlette.responses import PlainTextResponse

from app.core.access_presets import ACL
from app.http.bodies import Body, Request
from app.http.dispatch import Dispatcher
from app.http.replies import Reply
from app.http.routing import HttpRoute, Router
from orm.errors import Invalid
from tests.support.asgi import Answered, call


class NewThing(Body):
    name: str


class Page(msgspec.Struct):
    limit: Annotated[int, Meta(ge=1, le=9)] = 5
    tags: list[str] = []


async def ask(router: Router, method: str, path: str, *parts: bytes) -> Answered:
    dispatcher = Dispatcher()
    dispatcher.include(router, private=False, module="m")
    headers = [("content-type", "application/json")] if parts else []
    path, _, query = path.partition("?")
    return await call(dispatcher, method, path, *parts, headers=headers, query=query)


@pytest.mark.parametrize(
    ("returned", "status", "headers", "body"),
    [
        ({"id": 7}, 201, {"content-type": "application/json", "content-length": "8"}, b'{"id":7}'),
        ([], 201, {"content-type": "application/json"}, b"[]"),
        (NewThing(name="x"), 201, {}, b'{"name":"x"}'),
        (0, 201, {}, b"0"),
        ("", 201, {}, b'""'),
        (None, 204, {}, b""),
        (Reply({"id": 7}), 201, {"content-length": "8"}, b'{"id":7}'),
        (Reply({"id": 7}, status=200), 200, {}, b'{"id":7}'),
        (Reply({"id": 7}, headers={"Location": "/things/7"}), 201, {"location": "/things/7"}, b'{"id":7}'),
        (Reply(), 204, {}, b""),
        (Reply(status=304, headers={"ETag": '"1"'}), 304, {"etag": '"1"'}, b""),
        (Reply(status=202), 202, {"content-length": "0"}, b""),
        (PlainTextResponse("text", 418), 418, {"content-type": "text/plain; charset=utf-8"}, b"text"),
    ],
)
async def test_what_a_handler_returns_is_what_the_client_gets(
    returned: object, status: int, headers: dict[str, str], body: bytes
) -> None:
    router = Router()

    @router.post("/things", status=201)
    async def make(request: Request) -> object:
        return returned

    answered = await ask(router, "POST", "/things")
    assert (answered.status, answered.body, answered.is_complete) == (status, body, True)
    assert headers.items() <= answered.headers.items()
    if not body:
        assert "content-type" not in answered.headers
    if status in (204, 304):
        assert "content-length" not in answered.headers


async def test_a_handler_gets_the_decoded_body_and_the_path() -> None:
    router = Router(prefix="/shops")

    @router.put("/{shop:int}/things/{name}", body=NewThing)
    async def put(request: Request, body: NewThing) -> dict[str, Any]:
        return {**request.path_params, "body": body.name}

    answered = await ask(router, "PUT", "/shops/3/things/a b", b'{"name": "n"}')
    assert answered.json() == {"shop": 3, "name": "a b", "body": "n"}


async def test_a_handler_gets_the_decoded_query_after_the_body() -> None:
    router = Router()

    @router.get("/things", query=Page)
    async def every(request: Request, query: Page) -> Page:
        return query

    @router.post("/things", body=NewThing, query=Page)
    async def make(request: Request, body: NewThing, query: Page) -> dict[str, Any]:
        return {"name": body.name, "limit": query.limit}

    assert (await ask(router, "GET", "/things")).json() == {"limit": 5, "tags": []}
    answered = await ask(router, "GET", "/things?limit=7&tags=a&tags=b")
    assert answered.json() == {"limit": 7, "tags": ["a", "b"]}
    answered = await ask(router, "POST", "/things?limit=2", b'{"name": "n"}')
    assert answered.json() == {"name": "n", "limit": 2}


async def test_a_wrong_query_is_refused_before_the_body_is_looked_at() -> None:
    router = Router()

    @router.post("/things", body=NewThing, query=Page)
    async def make(request: Request, body: NewThing, query: Page) -> None:
        raise AssertionError("never called")

    with pytest.raises(Invalid) as refused:
        await ask(router, "POST", "/things?limit=99&other=1", b"no JSON")
    assert {place.pointer for place in refused.value.errors} == {"/query/limit", "/query/other"}


async def test_parameters_that_a_route_does_not_declare_are_not_looked_at() -> None:
    router = Router()

    @router.get("/thing")
    async def thing(request: Request) -> str:
        return "found"

    assert (await ask(router, "GET", "/thing?utm_source=letter")).json() == "found"


async def test_every_method_has_its_decorator() -> None:
    router = Router()
    for name in ("get", "post", "put", "patch", "delete"):

        async def handler(request: Request) -> str:
            return request.method

        getattr(router, name)("/thing")(handler)
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        assert (await ask(router, method, "/thing")).json() == method


def test_a_route_remembers_what_documentation_needs() -> None:
    router = Router(prefix="/things", tags=["thing"])

    @router.patch("/{id:int}", body=NewThing, status=202, name="change_thing")
    async def change(request: Request, body: NewThing) -> NewThing:
        """A changed thing.

        Its name may not be empty.
        """
        return body

    @router.get("", summary="All things.", description="In no order.")
    async def every(request: Request):  # type: ignore[no-untyped-def]
        """Not this."""

    patch, get = router.routes
    assert isinstance(patch, HttpRoute)
    assert isinstance(get, HttpRoute)
    assert (patch.path, patch.methods, patch.name) == ("/things/{id:int}", {"PATCH"}, "change_thing")
    assert (patch.body_type, patch.status, patch.returns, patch.tags) == (NewThing, 202, NewThing, ("thing",))
    assert (patch.summary, patch.description) == ("A changed thing.", "Its name may not be empty.")
    assert (get.path, get.methods, get.name) == ("/things", {"GET", "HEAD"}, "every")
    assert (get.body_type, get.status, get.returns) == (None, 200, Any)
    assert (get.summary, get.description) == ("All things.", "In no order.")
    assert router.url_path_for("change_thing", id=7) == "/things/7"


def test_a_route_remembers_its_query_and_its_further_answers() -> None:
    router = Router()

    @router.post("/things", query=Page, status=201, responses={200: NewThing, 202: None})
    async def make(request: Request, query: Page) -> NewThing:
        raise NotImplementedError

    (route,) = router.routes
    assert isinstance(route, HttpRoute)
    assert route.query_type is Page
    assert dict(route.responses) == {200: NewThing, 202: None}


def test_a_public_router_names_what_its_routes_may_do() -> None:
    router = Router(tables={"partners": ACL.READ_ONLY, "visits": frozenset({"create"})})
    router.get("/partners")(takes_request)
    plain = Router()
    plain.get("/nothing")(takes_request)

    (route,), (other,) = router.routes, plain.routes
    assert isinstance(route, HttpRoute)
    assert isinstance(other, HttpRoute)
    assert route.tables == {"partners": frozenset({"read"}), "visits": frozenset({"create"})}
    assert other.tables == {}


def test_a_decorated_handler_is_still_the_function_that_it_was() -> None:
    async def handler(request: Request) -> None: ...

    assert Router().get("/")(handler) is handler


async def takes_nothing() -> None: ...
async def takes_request(request: Request) -> None: ...
async def takes_both(request: Request, body: NewThing) -> None: ...
def is_not_async(request: Request) -> None: ...


@pytest.mark.parametrize(
    ("handler", "declared", "sentence"),
    [
        (takes_nothing, {}, "must take the request only"),
        (takes_both, {}, "must take the request only: no body= or query= is declared"),
        (takes_request, {"body": NewThing}, "must take the request and the body"),
        (takes_request, {"query": Page}, "must take the request and the query"),
        (takes_both, {"body": NewThing, "query": Page}, "must take the request, the body and the query"),
        (is_not_async, {}, "must be an async function"),
    ],
)
def test_a_handler_that_cannot_be_called_is_refused_where_it_is_declared(
    handler: Any, declared: Any, sentence: str
) -> None:
    with pytest.raises(TypeError, match=f"/thing.*{handler.__name__}.*{sentence}"):
        Router().post("/thing", **declared)(handler)
