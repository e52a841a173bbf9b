from pathlib import Path

import pytest

from sql import StatementFileError, parse, statements

TEXT = """\
-- Statements of the tests.

-- name: first
-- Says one.
SELECT 1;

-- name: second
-- Says two, with a comment
-- of two lines.
SELECT 2 -- not three
FROM nothing
WHERE true;
"""


def test_statements_are_found_by_name_in_the_order_of_the_file() -> None:
    found = parse(TEXT, source="x.sql")

    assert list(found) == ["first", "second"]
    assert found["first"] == "SELECT 1"
    assert found["second"] == "SELECT 2 -- not three\nFROM nothing\nWHERE true"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("SELECT 1;\n-- name: a\n-- b\nSELECT 1", "line 1: a statement without a name"),
        (
            "-- name: a\n-- b\nSELECT 1;\n-- name: a\n-- b\nSELECT 2;",
            "line 4: there is a statement a already",
        ),
        ("-- name: a\n-- b\n\n;\n", "line 1: a has no statement"),
        ("-- name: a\n-- b\n", "line 1: a has no statement"),
        ("-- name: a\nSELECT 1", "line 1: a does not say what it is for"),
        ("-- name: a\n--\nSELECT 1", "line 1: a does not say what it is for"),
        ("-- name: a", "line 1: a does not say what it is for"),
        ("-- name:\n-- b\nSELECT 1", "line 1: '' is no name"),
        ("-- name: Two words\n-- b\nSELECT 1", "line 1: 'Two words' is no name"),
    ],
)
def test_a_file_that_breaks_the_form_is_refused_with_its_line(text: str, problem: str) -> None:
    with pytest.raises(StatementFileError, match=f"^x.sql, {problem}"):
        parse(text, source="x.sql")


@pytest.mark.parametrize("topic", ["", "chat", "../etc/passwd", "/etc/passwd", "chat/../x", "Chat/Events"])
def test_a_name_that_is_no_topic_is_refused(topic: str) -> None:
    with pytest.raises(StatementFileError, match="is not the name of a statement file"):
        statements(topic)


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(StatementFileError, match=r"there is no sql/chat/nowhere\.sql"):
        statements("chat/nowhere")


def _topics() -> list[str]:
    root = Path(__file__).parents[3] / "sql"
    return sorted(
        file.relative_to(root).with_suffix("").as_posix()
        for file in root.glob("*/**/*.sql")
        if "migrations" not in file.parts
    )


def test_every_statement_file_of_the_project_can_be_loaded() -> None:
    loaded = {topic: statements(topic) for topic in _topics()}

    assert all(len(found) > 0 for found in loaded.values())


def test_loaded_statements_cannot_be_changed() -> None:
    for topic in _topics():
        with pytest.raises(TypeError):
            statements(topic)["new"] = "SELECT 1"  # type: ignore[index]
