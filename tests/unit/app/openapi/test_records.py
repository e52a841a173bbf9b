"""The shapes of rows in the document: as they are answered, and as they may be written."""

from typing import Any

import msgspec

from app.crud.payloads import change_type, creation_type, values_type
from app.openapi.document import openapi_document
from orm import Char, DotModel, Many2one, One2many, Ref
from orm.fields.base import Field
from orm.filters.parse import OPERATORS
from tests.support.openapi import faults
from tests.unit.app.openapi.project import (
    MODELS,
    Author,
    Book,
    answers,
    document_of,
    project_of,
    reads,
    ref,
    schema_of,
)


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


def test_a_row_brings_the_commands_of_its_relations_with_it(document: dict[str, Any]) -> None:
    links = schema_of(document, "BookCreation")["properties"]["tags"]
    assert links["additionalProperties"] is False
    # Tags have no API of their own, so that only the links, which are the book's, can be written.
    assert list(links["properties"]) == ["set", "unlink", "link"]
    assert links["properties"]["link"]["items"]["type"] == "integer"


def test_rows_within_a_body_are_told_of_in_full() -> None:
    class Shop(DotModel):
        __table__ = "shops"
        name: str = Char(required=True)
        parent_id: Ref["Shop"] | None = Many2one("shops")
        branches: list["Shop"] = One2many("shops", "parent_id")

    document = document_of(project_of({"shop": Shop}, routers=()))
    assert faults(document) == []
    branches = schema_of(document, "ShopCreation")["properties"]["branches"]["properties"]
    assert list(branches) == ["set", "unlink", "link", "create", "update", "delete"]
    assert branches["create"]["items"] == ref("ShopCreationWithout_parent_id")
    assert branches["update"]["items"] == ref("ShopNamedChange")
    assert "parent_id" not in schema_of(document, "ShopCreationWithout_parent_id")["properties"]
    named = schema_of(document, "ShopNamedChange")
    assert (named["required"], named["additionalProperties"]) == (["id"], False)
    assert "branches" not in schema_of(document, "ShopValues")["properties"]


def test_a_change_requires_nothing_and_has_no_defaults(document: dict[str, Any]) -> None:
    change = schema_of(document, "BookChange")
    assert change["required"] == []
    assert not [name for name, schema in change["properties"].items() if "default" in schema]
    assert set(change["properties"]) == set(schema_of(document, "BookCreation")["properties"])
    assert schema_of(document, "BookBulkChange")["properties"]["values"] == ref("BookValues")


def test_the_grammar_of_filters_is_told_once(document: dict[str, Any]) -> None:
    assert schema_of(document, "Search")["properties"]["filter"]["$ref"] == ref("Filter")["$ref"]
    assert schema_of(document, "BookBulkChange")["properties"]["filter"]["$ref"] == ref("Filter")["$ref"]
    condition = schema_of(document, "FilterCondition")["anyOf"][0]
    assert set(condition["prefixItems"][1]["enum"]) == set(OPERATORS)
    nested = schema_of(document, "Search")["properties"]["nested"]
    assert nested["additionalProperties"] == ref("Refinement")


def test_a_decimal_may_be_written_as_a_number_and_is_answered_as_a_text(document: dict[str, Any]) -> None:
    text, number, null = {"type": "string", "format": "decimal"}, {"type": "number"}, {"type": "null"}
    assert schema_of(document, "Book")["properties"]["price"] == {"anyOf": [text, null]}
    assert schema_of(document, "BookCreation")["properties"]["price"] == {"anyOf": [text, number, null]}


def test_the_bodies_are_those_that_decode_them(document: dict[str, Any]) -> None:
    """Schemas are put together from those of fields; what msgspec makes of a whole type is the same."""
    meta = next(meta for meta in project_of().registry if meta.table == "books")
    types = (creation_type(meta), change_type(meta), values_type(meta))
    _, expected = msgspec.json.schema_components(types)
    for type_ in types:
        told, by_type = schema_of(document, type_.__name__), expected[type_.__name__]
        assert (told["required"], told["additionalProperties"]) == (by_type["required"], False)
        assert list(told["properties"]) == list(by_type["properties"])
        for name in ("title", "kind", "pages", "weight", "printed", "cover", "extra", "author_id"):
            schema = {key: told["properties"][name][key] for key in by_type["properties"][name]}
            assert schema == by_type["properties"][name], (type_, name)


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
