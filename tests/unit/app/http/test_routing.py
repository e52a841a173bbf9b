from typing import Any

import pytest
from starlette.responses import PlainTextResponse

from app.http.bodies import Body, Request
from app.http.dispatch import Dispatcher
from app.http.replies import Reply
from app.http.routing import HttpRoute, Router
from tests.support.asgi import Answered, call


class NewThing(Body):
    name: str


async def ask(router: Router, method: str, path: str, *parts: bytes) -> Answered:
    dispatcher = Dispatcher()
    dispatcher.include(router, private=False, module="m")
    headers = [("content-type", "application/json")] if parts else []
    return await call(dispatcher, method, path, *parts, headers=headers)


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


def test_a_decorated_handler_is_still_the_function_that_it_was() -> None:
    async def handler(request: Request) -> None: ...

    assert Router().get("/")(handler) is handler


async def takes_nothing() -> None: ...
async def takes_request(request: Request) -> None: ...
async def takes_both(request: Request, body: NewThing) -> None: ...
def is_not_async(request: Request) -> None: ...


@pytest.mark.parametrize(
    ("handler", "body", "sentence"),
    [
        (takes_nothing, None, "must take the request only"),
        (takes_both, None, "must take the request only: no body= is declared"),
        (takes_request, NewThing, "must take the request and the body"),
        (is_not_async, None, "must be an async function"),
    ],
)
def test_a_handler_that_cannot_be_called_is_refused_where_it_is_declared(
    handler: Any, body: Any, sentence: str
) -> None:
    with pytest.raises(TypeError, match=f"/thing.*{handler.__name__}.*{sentence}"):
        Router().post("/thing", body=body)(handler)
