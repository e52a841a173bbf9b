"""What the document of a project says as a whole, and that it is a valid one."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Route

from app.openapi.document import openapi_document
from tests.support.openapi import faults, operations, resolved
from tests.unit.app.openapi.project import (
    project_of,
    ref,
)

ROOT = Path(__file__).parents[4]

FAILING_EVERYWHERE = {"500", "503", "504"}


def test_it_breaks_no_rule_of_openapi(document: dict[str, Any]) -> None:
    assert faults(document) == []
    assert document["info"]["title"] == "Library"
    assert document["info"]["version"] == "7.8.9"


def test_every_written_route_is_in_it_but_sockets_mounts_and_unlisted_ones(document: dict[str, Any]) -> None:
    routes = [target.route for target in project_of().targets]
    listed = [route for route in routes if isinstance(route, Route) and route.path != "/unlisted"]
    told = {
        (operation["operationId"].removeprefix("library_"), method)
        for _, method, operation in operations(document)
    }

    assert len(routes) == len(listed) + 3
    for route in listed:
        methods = {method.lower() for method in route.methods or ()} - {"head"}
        assert any(name.startswith(route.name) and method in methods for name, method in told), route
    assert not {"/socket", "/unlisted", "/mounted"} & set(document["paths"])


def test_every_operation_can_be_refused_by_a_problem_and_nothing_else(document: dict[str, Any]) -> None:
    for _, _, operation in operations(document):
        refused = {status: answer for status, answer in operation["responses"].items() if status >= "400"}
        assert set(refused) >= FAILING_EVERYWHERE
        for status, response in refused.items():
            told = document["components"]["responses"][response["$ref"].rpartition("/")[2]]
            assert told["content"] == {"application/problem+json": {"schema": ref("Problem")}}
            assert ("Retry-After" in told.get("headers", {})) == (status in ("429", "503"))
            assert ("WWW-Authenticate" in told.get("headers", {})) == (status == "401")


REFUSALS = [
    ("/loans", "post", {"400", "401", "403", "404", "409", "413", "415", "422"}),
    ("/loans", "get", {"400", "401", "403", "404", "422"}),
    ("/loans/{loan_id}", "get", {"400", "401", "403", "404", "422"}),
    ("/loans/{loan_id}", "delete", {"400", "401", "403", "404", "409", "422"}),
    ("/loans/strange", "get", {"400", "401", "403", "422"}),
    ("/welcome", "get", {"400", "422"}),
    ("/join", "post", {"400", "401", "404", "409", "413", "415", "422", "429"}),
    ("/api/book-shelf", "get", {"400", "401", "403", "422"}),
    ("/api/book-shelf", "post", {"400", "401", "403", "404", "409", "413", "415", "422"}),
    ("/api/book-shelf", "patch", {"400", "401", "403", "409", "413", "415", "422"}),
    ("/api/book-shelf/search", "post", {"400", "401", "403", "409", "413", "415", "422"}),
    ("/api/book-shelf/delete", "post", {"400", "401", "403", "409", "413", "415", "422"}),
    ("/api/book-shelf/{id}", "get", {"400", "401", "403", "404", "422"}),
    ("/api/book-shelf/{id}", "patch", {"400", "401", "403", "404", "409", "412", "413", "415", "422"}),
    ("/api/book-shelf/{id}", "delete", {"400", "401", "403", "404", "409", "412", "422"}),
]


@pytest.mark.parametrize(("path", "method", "statuses"), REFUSALS)
def test_an_operation_tells_how_it_can_be_refused(
    document: dict[str, Any], path: str, method: str, statuses: set[str]
) -> None:
    responses = document["paths"][path][method]["responses"]
    assert {status for status in responses if status >= "400"} == statuses | FAILING_EVERYWHERE


def test_private_routes_want_a_bearer_token_and_public_ones_do_not(document: dict[str, Any]) -> None:
    for path, _, operation in operations(document):
        is_public = path in ("/welcome", "/join", "/plain")
        wanted: list[Any] = [{"bearer": []}, {}] if path == "/lobby" else [{"bearer": []}]
        assert operation.get("security") == (None if is_public else wanted), path


def test_every_answer_has_the_id_of_its_request(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        for status, response in operation["responses"].items():
            told = resolved(document, response)
            assert "X-Request-ID" in told["headers"], (path, method, status)


def test_the_same_project_gives_the_same_bytes_in_every_process() -> None:
    program = (
        "import hashlib; from app.openapi.document import openapi_document; "
        "from tests.unit.app.openapi.project import project_of; "
        "print(hashlib.sha256(openapi_document(project_of())).hexdigest())"
    )
    expected = hashlib.sha256(openapi_document(project_of())).hexdigest()
    for seed in ("1", "2"):
        environ = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, env=environ, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == expected
