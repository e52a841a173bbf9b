"""What the document tells of the routes that models get."""

from collections.abc import Iterator
from typing import Any

from app.crud.table import CrudTable
from app.http.dispatch import Dispatcher
from orm import Char, DotModel
from tests.support.asgi import call
from tests.support.openapi import operations, parameters
from tests.unit.app.openapi.project import (
    answers,
    document_of,
    project_of,
    reads,
    ref,
    schema_of,
)


def test_versions_of_rows_travel_in_headers(document: dict[str, Any]) -> None:
    row, rows = document["paths"]["/api/book-shelf/{id}"], document["paths"]["/api/book-shelf"]
    headers = {
        method: {one["name"] for one in parameters(document, row[method]) if one["in"] == "header"}
        for method in row
    }
    assert headers == {
        "get": {"If-None-Match"},
        "patch": {"If-Match", "Idempotency-Key"},
        "delete": {"If-Match", "Idempotency-Key"},
    }
    assert "ETag" in row["get"]["responses"]["200"]["headers"]
    assert "ETag" in row["get"]["responses"]["304"]["headers"]
    assert "content" not in row["get"]["responses"]["304"]
    assert "ETag" in row["patch"]["responses"]["200"]["headers"]
    assert {"ETag", "Location"} <= set(rows["post"]["responses"]["201"]["headers"])
    assert "Link" in rows["get"]["responses"]["200"]["headers"]


def test_rows_are_told_apart_by_what_is_unique(document: dict[str, Any]) -> None:
    class Seat(DotModel):
        __table__ = "seats"
        __unique__ = (("hall", "number"),)
        hall: str = Char(required=True)
        number: str = Char(required=True)
        code: str | None = Char(unique=True)

    create = document_of(project_of({"seat": Seat}, routers=()))["paths"]["/api/seats"]["post"]
    assert create["parameters"][0]["schema"]["enum"] == ["code", "hall,number"]
    assert {"200", "201"} <= set(create["responses"])
    without = document["paths"]["/api/book-shelf"]["post"]
    assert [one["name"] for one in parameters(document, without)] == ["Idempotency-Key"]
    assert "200" not in without["responses"]


def test_a_model_that_wants_versions_says_so() -> None:
    class Draft(DotModel):
        __table__ = "drafts"
        __if_match__ = "required"
        name: str = Char(required=True)

    paths = document_of(project_of({"draft": Draft}, routers=()))["paths"]
    told = {
        (path, method)
        for path, item in paths.items()
        for method in item
        if "428" in item[method]["responses"]
    }
    assert told == {
        ("/api/batch", "post"),
        ("/api/drafts", "post"),
        ("/api/drafts", "patch"),
        ("/api/drafts/delete", "post"),
        ("/api/drafts/{id}", "patch"),
        ("/api/drafts/{id}", "delete"),
    }


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
    operation = document["paths"]["/api/book-shelf"]["get"]
    told = {one["name"]: one for one in parameters(document, operation)}
    assert list(told) == ["filter", "fields", "order", "limit", "offset", "after", "count"]
    assert told["limit"]["schema"] == {"type": "integer", "minimum": 1, "maximum": 500, "default": 50}
    assert "application/json" in told["filter"]["content"]


def made_paths(document: dict[str, Any]) -> Iterator[tuple[str, set[str]]]:
    for path, item in document["paths"].items():
        if path.startswith("/api/"):
            yield path, set(item)


async def test_a_model_has_the_operations_that_its_paths_answer() -> None:
    """The table of `app.crud` says by its refusals what it allows."""
    project = project_of(routers=())
    document = document_of(project)
    table = CrudTable(project.registry, dispatcher=Dispatcher())
    for path, methods in made_paths(document):
        assert await allowed(table, path.replace("{id}", "7")) == methods
    words = ("search", "delete", "aggregate", "fields", "defaults", "export", "batch")
    answered = {word for word in words if await allowed(table, f"/api/book-shelf/{word}")}
    told = {path.removeprefix("/api/book-shelf/") for path in document["paths"] if "book-shelf/" in path}
    assert answered == {name for name in told if "{id}" not in name}


async def allowed(table: CrudTable, path: str) -> set[str]:
    """The methods that the refusal of another one names, HEAD left to GET."""
    from_refusal: tuple[str, ...] = ()
    try:
        await call(table, "TRACE", path)
    except Exception as refused:  # noqa: BLE001 - MethodNotAllowed, or NotFound, which allows nothing
        from_refusal = getattr(refused, "allowed", ())
    return {method.lower() for method in from_refusal} - {"head"}


def test_actions_of_a_model_are_told_with_their_bodies_and_answers(document: dict[str, Any]) -> None:
    stamp = document["paths"]["/api/book-shelf/{id}/stamp"]["post"]
    assert (stamp["operationId"], stamp["tags"]) == ("stamp_in_book_shelf", ["book-shelf"])
    assert (stamp["summary"], stamp["description"]) == ("Stamp the book.", "On its first page.")
    assert reads(stamp) == ref("Stamp")
    assert answers(stamp, "201") == ref("Stamp")
    assert {"204", "404", "412"} <= set(stamp["responses"])
    assert [one["name"] for one in parameters(document, stamp)] == ["id", "If-Match", "Idempotency-Key"]

    praise = document["paths"]["/api/book-shelf/{id}/praise"]["post"]
    assert "requestBody" not in praise
    assert answers(praise, "200") == {"type": "array", "items": {"type": "integer"}}
    assert [one["name"] for one in parameters(document, praise)] == ["id", "Idempotency-Key"]


def test_a_model_is_told_of_with_its_figures_its_export_and_its_description(document: dict[str, Any]) -> None:
    paths = document["paths"]
    for route in ("book-shelf", "authors"):
        aggregate = paths[f"/api/{route}/aggregate"]["post"]
        assert (reads(aggregate), answers(aggregate, "200")) == (ref("Aggregation"), ref("Figures"))
        export = paths[f"/api/{route}/export"]["get"]
        assert set(export["responses"]["200"]["content"]) == {"text/csv", "application/jsonl"}
        assert "429" in export["responses"]
        told = [one["name"] for one in parameters(document, export)]
        assert told == ["format", "filter", "fields", "order", "limit"]
        assert answers(paths[f"/api/{route}/fields"]["get"], "200") == ref("ModelDescription")
        assert "/defaults" in f"{set(paths)}"
    figure = schema_of(document, "Aggregation")["properties"]["values"]["additionalProperties"]
    assert figure["prefixItems"][0] == {"enum": ["count", "sum", "avg", "min", "max"]}


def test_writes_that_may_be_repeated_under_a_key_say_so(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        is_keyed = any(one["name"] == "Idempotency-Key" for one in parameters(document, operation))
        assert is_keyed == (path.startswith("/api/") and method != "get"), (path, method)
        for status, response in operation["responses"].items():
            if status < "300":
                assert ("Idempotency-Replayed" in response["headers"]) == is_keyed
        assert not is_keyed or {"409", "422"} <= set(operation["responses"])


def test_a_batch_may_be_refused_by_whatever_an_entry_is_refused_by(document: dict[str, Any]) -> None:
    batch = document["paths"]["/api/batch"]["post"]
    assert (reads(batch)["items"], reads(batch)["maxItems"]) == (ref("Entry"), 100)
    assert answers(batch, "200") == ref("BatchAnswer")
    assert {"400", "403", "404", "405", "409", "412", "422", "428"} <= set(batch["responses"])
