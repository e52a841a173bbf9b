"""What the document of a project says, and that it is a valid one."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from starlette.routing import Route

from app.crud.table import CrudTable
from app.http.routing import Router
from app.openapi.document import openapi_document
from orm import Char, DotModel, Many2one, Ref
from orm.fields.base import Field
from tests.support.asgi import call
from tests.support.openapi import faults, operations
from tests.unit.app.openapi.project import MODELS, Author, Book, Tag, document_of, project_of

ROOT = Path(__file__).parents[4]

FAILING_EVERYWHERE = {"500", "503", "504"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return document_of(project_of())


def schema_of(document: dict[str, Any], name: str) -> Any:
    return document["components"]["schemas"][name]


def answers(operation: Any, status: str) -> Any:
    return operation["responses"][status]["content"]["application/json"]["schema"]


def reads(operation: Any) -> Any:
    return operation["requestBody"]["content"]["application/json"]["schema"]


def ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


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
    ("/loans/{loan_id}", "get", {"400", "401", "403", "404", "422"}),
    ("/loans/{loan_id}", "delete", {"400", "401", "403", "404", "409", "422"}),
    ("/loans/strange", "get", {"400", "401", "403", "422"}),
    ("/welcome", "get", {"400", "422"}),
    ("/join", "post", {"400", "401", "404", "409", "413", "415", "422", "429"}),
    ("/api/book-shelf", "get", {"400", "401", "403", "422"}),
    ("/api/book-shelf", "post", {"400", "401", "403", "409", "413", "415", "422"}),
    ("/api/book-shelf", "patch", {"400", "401", "403", "409", "413", "415", "422"}),
    ("/api/book-shelf/search", "post", {"400", "401", "403", "413", "415", "422"}),
    ("/api/book-shelf/delete", "post", {"400", "401", "403", "409", "413", "415", "422"}),
    ("/api/book-shelf/{id}", "get", {"400", "401", "403", "404", "422"}),
    ("/api/book-shelf/{id}", "patch", {"400", "401", "403", "404", "409", "413", "415", "422"}),
    ("/api/book-shelf/{id}", "delete", {"400", "401", "403", "404", "409", "422"}),
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
        assert operation.get("security") == (None if is_public else [{"bearer": []}]), path


def test_a_written_route_tells_its_words_its_body_and_its_answer(document: dict[str, Any]) -> None:
    lend = document["paths"]["/loans"]["post"]
    assert (lend["operationId"], lend["tags"]) == ("library_lend", ["loans"])
    assert (lend["summary"], lend["description"]) == ("Lend a book.", "For some days.")
    assert reads(lend) == ref("Loan")
    assert answers(lend, "201") == ref("Lent")
    loan = schema_of(document, "Loan")
    assert loan["properties"]["days"] == {"type": "integer", "minimum": 1, "maximum": 30, "default": 14}
    assert (loan["required"], loan["additionalProperties"]) == (["book_id"], False)
    assert schema_of(document, "Lent")["properties"]["book"] == ref("Book")


def test_an_answer_is_told_as_far_as_its_annotation_goes(document: dict[str, Any]) -> None:
    paths = document["paths"]
    assert answers(paths["/loans/{loan_id}"]["get"], "200") == ref("Lent")
    assert "204" in paths["/loans/{loan_id}"]["get"]["responses"]
    assert not {"200", "content"} & set(paths["/loans/{loan_id}"]["delete"]["responses"])
    assert answers(paths["/loans/{loan_id}/pages/{page}"]["get"], "200") == {}
    assert answers(paths["/loans/strange"]["get"], "200") == {}
    assert list(paths["/welcome"]["get"]["responses"]["200"]["content"]) == ["text/html"]
    assert answers(paths["/join"]["post"], "200")["additionalProperties"] == {
        "type": "array",
        "items": ref("Book"),
    }
    assert {"get", "post"} == set(paths["/plain"])


def test_routes_on_one_path_agree_on_the_names_of_its_parameters(document: dict[str, Any]) -> None:
    item = document["paths"]["/loans/{loan_id}"]
    assert [item[method]["parameters"][0]["name"] for method in ("get", "delete")] == ["loan_id", "loan_id"]
    page = document["paths"]["/loans/{loan_id}/pages/{page}"]["get"]["parameters"]
    assert [(parameter["name"], parameter["schema"]["type"]) for parameter in page] == [
        ("loan_id", "integer"),
        ("page", "string"),
    ]


def test_a_written_route_stands_for_the_one_made_from_the_model(document: dict[str, Any]) -> None:
    assert document["paths"]["/api/authors/{author}"]["get"]["operationId"] == "library_read_author"
    assert "/api/authors/{id}" not in document["paths"]
    assert document["paths"]["/api/authors"]["get"]["operationId"] == "list_authors"


def test_two_handlers_of_one_name_get_ids_of_their_own() -> None:
    other = Router("/others")
    for path in ("/a", "/b"):
        other.get(path, name="same")(private_handler)
    document = document_of(project_of(routers=((other, True),)))
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert {"library_same", "library_same_get_others_b"} <= set(ids)
    assert faults(document) == []


async def private_handler(request: object) -> None:
    raise NotImplementedError


def test_private_fields_and_remarks_are_nowhere_in_it() -> None:
    text = openapi_document(project_of()).decode()
    assert not [word for word in ("secret", "salary", "diaries", "Diary", "hidden", "Secret") if word in text]


def test_a_record_has_the_fields_that_can_be_read(document: dict[str, Any]) -> None:
    book = schema_of(document, "Book")
    properties = book["properties"]
    assert set(properties) == set(Book.__fields__) - {"secret"}
    assert book["required"] == ["id"]
    assert properties["title"] == {
        "type": "string", "minLength": 1, "maxLength": 80, "description": "On the cover",
    }  # fmt: skip
    assert properties["kind"] == {"enum": ["novel", "poem"]}
    assert properties["value"]["readOnly"] is True
    assert properties["added_at"] == {"type": "string", "format": "date-time", "readOnly": True}
    assert properties["author_id"] == {"anyOf": [{"type": "integer"}, ref("Author")]}
    assert properties["editor_id"] == {"anyOf": [{"type": "integer"}, ref("Author"), {"type": "null"}]}
    assert properties["tags"]["items"] == {"anyOf": [{"type": "integer"}, ref("Tag")]}
    assert "Tag" in document["components"]["schemas"]


def test_a_creation_has_the_limits_the_defaults_and_what_must_be_given(document: dict[str, Any]) -> None:
    creation = schema_of(document, "BookCreation")
    properties = creation["properties"]
    assert set(creation["required"]) == {"title", "author_id"}
    assert creation["additionalProperties"] is False
    assert not {"id", "value", "added_at", "secret"} & set(properties)
    assert properties["title"]["description"] == "On the cover"
    assert properties["pages"] == {"type": "integer", "minimum": 1, "maximum": 5000, "default": 100}
    assert (properties["kind"]["enum"], properties["kind"]["default"]) == (["novel", "poem"], "novel")
    assert {"type": "null"} in properties["price"]["anyOf"]


def test_a_change_requires_nothing_and_has_no_defaults(document: dict[str, Any]) -> None:
    change = schema_of(document, "BookChange")
    assert change["required"] == []
    assert not [name for name, schema in change["properties"].items() if "default" in schema]
    assert set(change["properties"]) == set(schema_of(document, "BookCreation")["properties"])
    assert schema_of(document, "BookBulkChange")["properties"]["values"] == ref("BookChange")


def test_the_operations_of_a_model_read_and_answer_its_schemas(document: dict[str, Any]) -> None:
    rows = document["paths"]["/api/book-shelf"]
    row = document["paths"]["/api/book-shelf/{id}"]
    one, many = reads(rows["post"])["anyOf"]
    assert one == ref("BookCreation")
    assert many == {"type": "array", "items": ref("BookCreation"), "maxItems": 1000}
    assert answers(rows["post"], "201")["anyOf"][0] == ref("Book")
    assert "Location" in rows["post"]["responses"]["201"]["headers"]
    assert answers(rows["get"], "200") == ref("BookPage")
    assert (reads(row["patch"]), answers(row["patch"], "200")) == (ref("BookChange"), ref("Book"))
    assert (reads(rows["patch"]), answers(rows["patch"], "200")) == (ref("BookBulkChange"), ref("Counted"))
    assert "204" in row["delete"]["responses"]
    assert reads(document["paths"]["/api/book-shelf/search"]["post"]) == ref("Search")
    assert reads(document["paths"]["/api/book-shelf/delete"]["post"]) == ref("Condition")
    assert {operation["tags"][0] for operation in (*rows.values(), *row.values())} == {"book-shelf"}


def test_the_list_has_the_parameters_of_a_search(document: dict[str, Any]) -> None:
    parameters = {one["name"]: one for one in document["paths"]["/api/book-shelf"]["get"]["parameters"]}
    assert list(parameters) == ["filter", "fields", "order", "limit", "offset", "after", "count"]
    assert parameters["limit"]["schema"] == {"type": "integer", "minimum": 1, "maximum": 500, "default": 50}
    assert "application/json" in parameters["filter"]["content"]


def made_paths(document: dict[str, Any]) -> Iterator[tuple[str, set[str]]]:
    for path, item in document["paths"].items():
        if path.startswith("/api/"):
            yield path, set(item)


async def test_a_model_has_the_operations_that_its_paths_answer() -> None:
    """The table of `app.crud` says by its refusals what it allows."""
    project = project_of(routers=())
    document = document_of(project)
    table = CrudTable(project.registry)
    for path, methods in made_paths(document):
        assert await allowed(table, path.replace("{id}", "7")) == methods
    words = ("search", "delete", "aggregate", "fields", "defaults", "export", "batch")
    answered = {word for word in words if await allowed(table, f"/api/book-shelf/{word}")}
    assert answered == {path.rpartition("/")[2] for path in document["paths"] if "book-shelf/" in path} - {
        "{id}"
    }


async def allowed(table: CrudTable, path: str) -> set[str]:
    """The methods that the refusal of another one names, HEAD left to GET."""
    from_refusal: tuple[str, ...] = ()
    try:
        await call(table, "TRACE", path)
    except Exception as refused:  # noqa: BLE001 - MethodNotAllowed, or NotFound, which allows nothing
        from_refusal = getattr(refused, "allowed", ())
    return {method.lower() for method in from_refusal} - {"head"}


def test_models_of_one_name_get_schemas_of_their_own() -> None:
    def same(table: str) -> type[DotModel]:
        class Note(DotModel):
            __table__ = table
            text: str = Char(required=True)
            author_id: Ref[Author] | None = Many2one("authors")

        return Note

    document = document_of(project_of({**MODELS, "one": same("notes"), "two": same("remarks")}))
    assert faults(document) == []
    assert reads(document["paths"]["/api/notes/{id}"]["patch"]) == ref("NoteChange")
    assert reads(document["paths"]["/api/remarks/{id}"]["patch"]) == ref("remarks.NoteChange")
    assert answers(document["paths"]["/api/remarks"]["get"], "200") == ref("remarks.NotePage")


def test_a_model_named_like_a_struct_gets_a_schema_of_its_own() -> None:
    class Loan(DotModel):
        __table__ = "loans"
        days: str = Char(required=True)

    document = document_of(project_of({**MODELS, "loan": Loan}))
    assert faults(document) == []
    assert answers(document["paths"]["/api/loans/{id}"]["get"], "200") == ref("loans.Loan")
    assert schema_of(document, "Loan")["required"] == ["book_id"]


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


def test_a_field_whose_values_are_structs_is_told_of_in_full() -> None:
    class Point(msgspec.Struct):
        x: int

    class PointField(Field):
        kind = "point"
        python_type = Point

        @property
        def column_type(self) -> str:
            return "jsonb"

    class Place(DotModel):
        __table__ = "places"
        at: Any = PointField(required=True)

    document = document_of(project_of({**MODELS, "place": Place}))
    assert faults(document) == []
    assert schema_of(document, "places.Place")["properties"]["at"] == ref("places.Place.Point")
    assert schema_of(document, "places.Place.Point")["properties"] == {"x": {"type": "integer"}}


def test_an_answer_with_a_model_that_is_not_registered_is_some_object() -> None:
    document = document_of(project_of({"tag": Tag}))
    assert answers(document["paths"]["/loans"]["post"], "201") == ref("Lent")
    assert schema_of(document, "Lent")["properties"]["book"] == {"type": "object"}
    assert faults(document) == []
