from typing import Any

import pytest

from app.crud.references import filled_in, path_filled_in
from orm.errors import Invalid

RESULTS: list[Any] = [
    {"id": 7, "name": "Ada", "tags": [{"id": 1}, {"id": 2}], "done": True, "price": "1.50", "none": None},
    {"data": [{"id": 8}, {"id": 9}]},
    None,
    {"path": "a/b"},
]


def ref(text: str) -> dict[str, str]:
    return {"$ref": text}


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (ref("0.id"), 7),
        (ref("0.tags.1.id"), 2),
        (ref("1.data.0"), {"id": 8}),
        (ref("0.none"), None),
        ({"a": ref("0.id"), "b": [1, ref("1.data.1.id"), {"c": ref("0.price")}]},
         {"a": 7, "b": [1, 9, {"c": "1.50"}]}),
        # what is no reference is a value like all others
        (ref("#/definitions/a"), ref("#/definitions/a")),
        (ref("0"), ref("0")),
        (ref("a.id"), ref("a.id")),
        (ref("0..id"), ref("0..id")),
        ({"$ref": 0}, {"$ref": 0}),
        ({"$ref": "0.id", "a": 1}, {"$ref": "0.id", "a": 1}),
        ("0.id", "0.id"),
        ([], []),
        (None, None),
    ],
)  # fmt: skip
def test_references_are_replaced_wherever_they_stand(value: Any, found: Any) -> None:
    assert filled_in(value, RESULTS, "/body") == found


def test_what_was_given_is_not_changed() -> None:
    given = {"a": [ref("0.id")]}
    filled_in(given, RESULTS, "")
    assert given == {"a": [ref("0.id")]}


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (ref("4.id"), "/body"),
        (ref("9999.id"), "/body"),
        ({"a": [ref("0.colour")]}, "/body/a/0"),
        ({"a/b": ref("0.id.x")}, "/body/a~1b"),
        (ref("1.data.2"), "/body"),
        (ref("1.data.-1"), None),
        (ref("2.id"), "/body"),
        (ref("0.__class__"), "/body"),
    ],
)
def test_a_reference_to_nothing_is_told_at_its_place(value: Any, place: str | None) -> None:
    if place is None:
        assert filled_in(value, RESULTS, "/body") == value
        return
    with pytest.raises(Invalid) as caught:
        filled_in(value, RESULTS, "/body")
    assert [(one.pointer, one.code) for one in caught.value.errors] == [(place, "reference")]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/api/tasks/7", "/api/tasks/7"),
        ("/api/tasks/{0.id}", "/api/tasks/7"),
        ("/api/tasks/{1.data.1.id}/drop", "/api/tasks/9/drop"),
        ("/api/{0.name}", "/api/Ada"),
        ("/api/x{0.id}", "/api/x{0.id}"),
        ("/api/{id}", "/api/{id}"),
        ("/api/{}", "/api/{}"),
    ],
)
def test_a_reference_in_a_path_is_a_whole_segment(path: str, found: str) -> None:
    assert path_filled_in(path, RESULTS, "/path") == found


@pytest.mark.parametrize("reference", ["4.id", "0.colour", "0.tags", "0.done", "0.none", "3.path"])
def test_what_cannot_stand_in_a_path_is_refused(reference: str) -> None:
    with pytest.raises(Invalid) as caught:
        path_filled_in(f"/api/tasks/{{{reference}}}", RESULTS, "/path")
    assert [(one.pointer, one.code) for one in caught.value.errors] == [("/path", "reference")]
