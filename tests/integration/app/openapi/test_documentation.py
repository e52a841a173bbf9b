"""The document and the page of the running project, as a client and a browser get them."""

import re
from typing import Any

import httpx
import pytest
from starlette.routing import Route

from app import __version__
from app.http.routing import HttpRoute
from services.chat.models import Chat, ChatMessage
from services.users.models import User
from tests.support.application import RunningApplication, running_application
from tests.support.openapi import faults, operations


@pytest.fixture
async def running(database_url: str) -> Any:
    async with running_application(database_url) as application:
        yield application


async def document_of(running: RunningApplication) -> dict[str, Any]:
    answer = await (await running.client()).get("/openapi.json")
    assert answer.status_code == 200
    document: dict[str, Any] = answer.json()
    return document


async def test_the_document_of_this_project_is_public_and_breaks_no_rule(running: RunningApplication) -> None:
    document = await document_of(running)
    assert faults(document) == []
    assert document["info"]["version"] == __version__


async def test_every_route_of_the_dispatcher_is_in_the_document(running: RunningApplication) -> None:
    paths = (await document_of(running))["paths"]
    routes = [target.route for target in running.app.state.dispatcher.targets]
    listed = [route for route in routes if isinstance(route, Route) and route.include_in_schema]
    told_methods: dict[str, set[str]] = {}
    for path, item in paths.items():
        told_methods.setdefault(re.sub(r"\{[^}]*\}", "{}", path), set()).update(item)
    assert all(route in listed for route in routes if isinstance(route, HttpRoute))
    for route in listed:
        told = told_methods[re.sub(r"\{[^}]*\}", "{}", route.path_format)]
        assert {method.lower() for method in route.methods or ()} - {"head"} <= told, route


async def test_the_paths_of_the_document_answer_what_it_tells(
    running: RunningApplication,
) -> None:
    """A method that no path has is refused, and the refusal names those that there are."""
    document = await document_of(running)
    admin = await running.as_admin()
    for path, item in document["paths"].items():
        refused = await admin.request("TRACE", re.sub(r"\{[^}]*\}", "7", path))
        assert refused.status_code == 405, path
        allowed = {method.lower() for method in refused.headers["allow"].split(", ")} - {"head"}
        assert allowed == set(item), path


async def test_private_routes_and_no_others_want_the_token(running: RunningApplication) -> None:
    document = await document_of(running)
    anonymous = await running.client()
    for path, method, operation in operations(document):
        answer = await anonymous.request(method.upper(), re.sub(r"\{[^}]*\}", "7", path))
        is_private = operation.get("security") == [{"bearer": []}]
        assert (answer.status_code == 401) == is_private, (path, method)
        assert str(answer.status_code) in operation["responses"], (path, method)


async def test_private_fields_are_in_no_schema(running: RunningApplication) -> None:
    schemas = (await document_of(running))["components"]["schemas"]
    for model in (User, Chat, ChatMessage):
        private = {name for name, field in model.__fields__.items() if field.private}
        assert private
        assert not private & set(schemas[model.__name__]["properties"])


async def test_the_document_is_the_same_in_every_process_and_asked_for_once(
    running: RunningApplication, database_url: str
) -> None:
    client = await running.client()
    first = await client.get("/openapi.json")
    async with running_application(database_url) as other:
        second = await (await other.client()).get("/openapi.json")
    assert first.content == second.content
    again = await client.get("/openapi.json", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def policy(answer: httpx.Response) -> dict[str, str]:
    directives = answer.headers["content-security-policy"].split("; ")
    return dict(directive.split(" ", 1) for directive in directives)


async def test_the_page_and_what_it_loads_come_from_here_under_a_strict_policy(
    running: RunningApplication,
) -> None:
    client = await running.client()
    page = await client.get("/docs")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert policy(page)["default-src"] == "'none'"
    assert policy(page)["script-src"] == policy(page)["style-src"] == "'self'"
    loaded = re.findall(r'(?:src|href)="(docs/[^"]+)"', page.text)
    assert len(loaded) == 2
    for name in loaded:
        answer = await client.get(f"/{name}")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(("text/javascript", "text/css"))
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert (await client.get("/docs/other.js")).status_code == 404
    assert (await client.post("/docs")).status_code == 405
