import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.crud.csv_lines import Column, Kind, cell, column, head, lines
from orm import Registry
from tests.support.models import SHOP

PRODUCT = Registry.compose(SHOP).model("product")


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (None, "text", ""),
        (None, "document", ""),
        ("", "text", '""'),
        ("a", "text", "a"),
        ("a,b", "text", '"a,b"'),
        ('say "a"', "text", '"say ""a"""'),
        ("two\nlines", "text", '"two\nlines"'),
        (" a", "text", '" a"'),
        ("\u2603", "text", "\u2603"),
        (True, "plain", "true"),
        (-5, "plain", "-5"),
        (1.5, "plain", "1.5"),
        ("-12.50", "plain", "-12.50"),
        ("2026-01-01T00:00:00Z", "plain", "2026-01-01T00:00:00Z"),
        ({"a": [1, None]}, "document", '"{""a"":[1,null]}"'),
        ("=1+1", "document", '"""=1+1"""'),
        (-5, "document", "-5"),
        (7, "reference", "7"),
        ("=1+1", "text", "'=1+1"),
        ("+49 30 1234", "text", "'+49 30 1234"),
        ("-1", "text", "'-1"),
        ("@SUM(A1)", "text", "'@SUM(A1)"),
        ("\t=1", "text", "'\t=1"),
        ("\r=1", "text", '"\'\r=1"'),
        ("\uff1d1", "text", "'\uff1d1"),
        ('=HYPERLINK("http://x","y")', "text", '"\'=HYPERLINK(""http://x"",""y"")"'),
        ("a=1", "text", "a=1"),
    ],
)
def test_a_value_as_a_cell(value: object, kind: Kind, text: str) -> None:
    assert cell(value, kind) == text


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("name", "text"),
        ("code", "text"),
        ("kind", "text"),
        ("note", "text"),
        ("blob", "text"),
        ("data", "document"),
        ("category_id", "reference"),
        ("price", "plain"),
        ("stock", "plain"),
        ("day", "plain"),
        ("created_at", "plain"),
        ("token", "plain"),
        ("active", "plain"),
    ],
)
def test_what_can_hold_a_formula_is_told_by_its_field(path: str, kind: str) -> None:
    assert column(path, PRODUCT.fields[path]) == Column((path,), kind)  # type: ignore[arg-type]


def test_a_line_follows_the_paths_of_its_columns() -> None:
    columns = [
        Column(("id",), "plain"),
        Column(("owner_id",), "reference"),
        Column(("owner_id", "name"), "text"),
    ]
    rows: list[dict[str, Any]] = [
        {"id": 1, "owner_id": {"id": 7, "name": "Ada"}},
        {"id": 2, "owner_id": {"id": 8}},  # a rule hides the row
        {"id": 3, "owner_id": None},
        {"id": 4, "owner_id": 9},
    ]
    assert head(columns) == "id,owner_id,owner_id.name\r\n"
    assert lines(columns, rows) == "1,7,Ada\r\n2,8,\r\n3,,\r\n4,9,\r\n"
    assert lines(columns, []) == ""


texts = st.text(st.sampled_from("ab,\"'\r\n\t =+-@\u2603"), max_size=8)


@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=5))
def test_other_programs_read_what_was_written(values: list[tuple[str, str]]) -> None:
    columns = [Column(("a",), "text"), Column(("b",), "text")]
    text = head(columns) + lines(columns, [{"a": a, "b": b} for a, b in values])
    read = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert read[0] == ["a", "b"]
    for row, given_values in zip(read[1:], values, strict=True):
        for found, value in zip(row, given_values, strict=True):
            assert found == value or (found == f"'{value}" and value[0] in "=+-@\t\r\n")
            assert not found.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
