"""What the document tells of hand-written routes."""

from typing import Any

from app.http.routing import Router
from tests.support.openapi import faults, operations, parameters
from tests.unit.app.openapi.project import (
    Tag,
    answers,
    document_of,
    project_of,
    reads,
    ref,
    schema_of,
)


def test_a_public_route_may_tell_that_it_refuses_strangers_by_itself(document: dict[str, Any]) -> None:
    lobby = document["paths"]["/lobby"]["get"]
    refused = {status: lobby["responses"][status]["$ref"].rpartition("/")[2] for status in ("401", "403")}
    assert refused == {"401": "unauthenticated", "403": "denied"}


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


def test_further_answers_are_told_by_their_status(document: dict[str, Any]) -> None:
    responses = document["paths"]["/loans/{loan_id}"]["put"]["responses"]
    assert {status for status in responses if status < "400"} == {"200", "201", "202"}
    for status in ("200", "201"):
        assert responses[status]["content"]["application/json"]["schema"] == ref("Lent")
    assert "content" not in responses["202"]
    assert "Location" in responses["201"]["headers"]


def test_an_answer_that_is_no_json_has_its_media_type_and_its_etag(document: dict[str, Any]) -> None:
    report = document["paths"]["/loans/report"]["get"]
    assert report["responses"]["200"]["content"] == {"text/csv": {"schema": {"type": "string"}}}
    assert "ETag" in report["responses"]["200"]["headers"]
    assert "content" not in report["responses"]["304"]
    assert [one["name"] for one in parameters(document, report)] == ["If-None-Match"]


def test_the_query_of_a_route_is_told_parameter_by_parameter(document: dict[str, Any]) -> None:
    operation = document["paths"]["/loans"]["get"]
    assert operation["description"] == "`after` is the `next` of the page before."
    reader, limit, after, kinds = parameters(document, operation)
    assert reader == {
        "name": "reader",
        "in": "query",
        "description": "Who has them.",
        "required": True,
        "schema": {"type": "string", "minLength": 1},
    }
    assert limit["schema"] == {"type": "integer", "minimum": 1, "maximum": 50, "default": 10}
    assert after == {"name": "after", "in": "query", "schema": {"type": "integer", "minimum": 0}}
    assert kinds["schema"] == {"type": "array", "items": {"enum": ["novel", "poem"]}}


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


def test_an_answer_with_a_model_that_is_not_registered_is_some_object() -> None:
    document = document_of(project_of({"tag": Tag}))
    assert answers(document["paths"]["/loans"]["post"], "201") == ref("Lent")
    assert schema_of(document, "Lent")["properties"]["book"] == {"type": "object"}
    assert faults(document) == []
