"""The document and the page of the running project, as a client and a browser get them."""

import asyncio
import gzip
import re
from collections.abc import AsyncIterator
from typing import Any, Final

import httpx
import pytest
import pytest_asyncio
from starlette.routing import Route

from app import __version__
from app.cli import openapi as command
from app.core.environment import Environment
from app.http.routing import HttpRoute
from app.project_setup import Apps, Models, Settings
from services.chat.models import Chat, ChatMessage
from services.users.models import User
from tests.support.application import RunningApplication, running_application
from tests.support.databases import fresh_schema
from tests.support.openapi import faults, operations, parameters

SIGNING_OUT: Final = frozenset({"/logout", "/sessions/terminate_all"})


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def module_url(run_database_url: str) -> AsyncIterator[str]:
    async with fresh_schema(run_database_url) as url:
        yield url


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(module_url: str) -> AsyncIterator[RunningApplication]:
    """One application for all tests of this file: they read, or are refused."""
    async with running_application(module_url) as application:
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
        is_private = bool(operation.get("security"))  # or decides by itself: from afar it wants a token, too
        assert (answer.status_code == 401) == is_private, (path, method)
        assert str(answer.status_code) in operation["responses"], (path, method)


async def test_private_fields_are_in_no_schema(running: RunningApplication) -> None:
    schemas = (await document_of(running))["components"]["schemas"]
    for model in (User, Chat, ChatMessage):
        private = {name for name, field in model.__fields__.items() if field.private}
        assert private
        assert not private & set(schemas[model.__name__]["properties"])


async def test_the_document_is_the_same_in_every_process_and_asked_for_once(
    running: RunningApplication, module_url: str
) -> None:
    client = await running.client()
    first = await client.get("/openapi.json")
    async with running_application(module_url) as other:
        second = await (await other.client()).get("/openapi.json")
    assert first.content == second.content
    again = await client.get("/openapi.json", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_the_document_is_packed_for_who_accepts_it(running: RunningApplication) -> None:
    client = await running.client()
    answers = {}
    for accepted in ("identity", "gzip", "br, GZIP;q=0.5", "gzip;q=0", ""):
        request = client.build_request("GET", "/openapi.json", headers={"Accept-Encoding": accepted})
        answer = await client.send(request, stream=True)
        answers[accepted] = (answer, b"".join([part async for part in answer.aiter_raw()]))
    plain, whole = answers["identity"]
    for accepted, (answer, content) in answers.items():
        is_packed = accepted in ("gzip", "br, GZIP;q=0.5")
        assert answer.headers["vary"] == "Accept-Encoding"
        assert (answer.headers.get("content-encoding") == "gzip") == is_packed, accepted
        assert (gzip.decompress(content) if is_packed else content) == whole
        assert (answer.headers["etag"] == plain.headers["etag"]) == (not is_packed)
    packed = answers["gzip"][0].headers["etag"]
    again = await client.get("/openapi.json", headers={"If-None-Match": packed, "Accept-Encoding": "gzip"})
    assert (again.status_code, again.headers["etag"]) == (304, packed)


async def test_the_command_prints_the_document_that_is_served(running: RunningApplication) -> None:
    served = await (await running.client()).get("/openapi.json")
    printed = await asyncio.to_thread(command.document, Environment(Settings(), Models, Apps))
    assert printed == served.content


def filled_in(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "7", path)


async def test_every_get_answers_head_alike(running: RunningApplication) -> None:
    document = await document_of(running)
    admin = await running.as_admin()
    for path, method, _ in operations(document):
        if method != "get":
            continue
        get, head = [await admin.request(verb, filled_in(path)) for verb in ("GET", "HEAD")]
        assert (head.status_code, head.content) == (get.status_code, b""), path
        told = {name: get.headers[name] for name in ("content-type", "etag") if name in get.headers}
        assert told.items() <= head.headers.items(), path


async def test_options_is_refused_like_any_method_that_a_path_has_not(running: RunningApplication) -> None:
    document = await document_of(running)
    admin = await running.as_admin()
    for path, item in document["paths"].items():
        refused = await admin.options(filled_in(path))
        assert refused.status_code == 405, path
        allowed = {method.lower() for method in refused.headers["allow"].split(", ")} - {"head"}
        assert allowed == set(item), path


async def test_an_accept_header_changes_nothing(running: RunningApplication) -> None:
    admin = await running.as_admin()
    for path, accepted in (
        ("/me", "text/html"),
        ("/api/users", "application/xml"),
        ("/api/users/0", "image/*"),
    ):
        answer = await admin.get(path, headers={"Accept": accepted})
        assert answer.headers["content-type"].endswith("json"), path
        assert answer.status_code != 406


async def test_a_key_counts_where_the_document_says_so(running: RunningApplication) -> None:
    document = await document_of(running)
    admin = await running.as_admin()
    for path, method, operation in operations(document):
        if not operation.get("security") or path in SIGNING_OUT:
            continue
        names = [one["name"] for one in parameters(document, operation)]
        answer = await admin.request(method, filled_in(path), headers={"Idempotency-Key": "no key"})
        is_looked_at = "/headers/Idempotency-Key" in answer.text
        assert is_looked_at == ("Idempotency-Key" in names), (path, method)


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
    assert (policy(page)["require-trusted-types-for"], policy(page)["trusted-types"]) == (
        "'script'",
        "'none'",
    )
    loaded = re.findall(r'(?:src|href)="(docs/[^"]+)"', page.text)
    assert len(loaded) > 2
    for name in loaded:
        answer = await client.get(f"/{name}")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(("text/javascript", "text/css"))
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert (await client.get("/docs/other.js")).status_code == 404
    assert (await client.post("/docs")).status_code == 405
