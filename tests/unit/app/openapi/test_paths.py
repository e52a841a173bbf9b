"""How operations come together on paths, and keep their ids apart."""

import pytest

from app.openapi.paths import Paths, word


def operation(id: str, *names: str) -> dict[str, object]:
    parameters = [{"name": name, "in": "path"} for name in names] + [{"name": "limit", "in": "query"}]
    return {"operationId": id, "parameters": parameters}


def test_paths_are_sorted_and_methods_have_one_order() -> None:
    paths = Paths()
    for path, method in (("/b", "DELETE"), ("/a", "POST"), ("/b", "GET"), ("/a", "GET")):
        paths.add(path, method, operation(f"{method}{path}"))
    assert [(path, list(item)) for path, item in paths.as_dict().items()] == [
        ("/a", ["get", "post"]),
        ("/b", ["get", "delete"]),
    ]


def test_the_first_path_names_the_parameters_of_all_that_differ_in_names_only() -> None:
    paths = Paths()
    paths.add("/a/{one}/b/{two}", "GET", operation("read", "one", "two"))
    paths.add("/a/{x}/b/{y}", "PUT", operation("write", "x", "y"))
    item = paths.as_dict()["/a/{one}/b/{two}"]
    assert [parameter["name"] for parameter in item["put"]["parameters"]] == ["one", "two", "limit"]
    assert paths.has("/a/{p}/b/{q}", "put")
    assert not paths.has("/a/{p}/b/{q}", "post")
    assert not paths.has("/a/{p}", "get")


def test_two_answers_to_one_method_keep_the_names_of_their_own() -> None:
    paths = Paths()
    paths.add("/a/{number}", "GET", operation("by_number", "number"))
    paths.add("/a/{name}", "GET", operation("by_name", "name"))
    assert set(paths.as_dict()) == {"/a/{number}", "/a/{name}"}


def test_the_first_operation_keeps_an_id_that_several_want() -> None:
    paths = Paths()
    for path in ("/a/{id}", "/a-b", "/a_b", "/a.b"):
        paths.add(path, "GET", operation("same", *(["id"] if "{" in path else [])))
    assert {path: item["get"]["operationId"] for path, item in paths.as_dict().items()} == {
        "/a/{id}": "same",
        "/a-b": "same_get_a_b",
        "/a_b": "same_get_a_b_2",
        "/a.b": "same_get_a_b_3",
    }


@pytest.mark.parametrize(("text", "expected"), [("list_log-entries", "list_log_entries"), ("/a/{b}", "a_b")])
def test_a_word_has_letters_digits_and_underscores(text: str, expected: str) -> None:
    assert word(text) == expected
