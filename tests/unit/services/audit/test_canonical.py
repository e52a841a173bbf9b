import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import services.audit
from services.audit.canonical import canonical_entry, canonical_json

ROW: dict[str, Any] = {
    "id": 7,
    "at": "1795449600000000",
    "user_id": 1,
    "request_id": "r1",
    "database_role": "starling",
    "action": "update",
    "model": "users",
    "record_id": 3,
    "before": '{"id": 3, "name": "A"}',
    "after": '{"id": 3, "name": "Ada"}',
    "details": None,
}
EXAMPLE = (
    '{"action":"update","after":{"id":3,"name":"Ada"},"at":1795449600000000,"before":{"id":3,"name":"A"},'
    '"database_role":"starling","details":null,"id":7,"model":"users","record_id":3,"request_id":"r1",'
    '"user_id":1}'
)


def test_an_entry_is_the_documented_bytes() -> None:
    assert canonical_entry(ROW) == EXAMPLE.encode()
    assert services.audit.__doc__ is not None
    documented = services.audit.__doc__.replace("\n    ", "").replace("\n", "")
    assert EXAMPLE in documented


def test_what_is_null_says_so() -> None:
    nothing = dict.fromkeys(ROW) | {"id": 1, "database_role": "r", "action": "a"}

    assert json.loads(canonical_entry(nothing)) == nothing


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ('{"b": 1, "a": 2}', '{"a":2,"b":1}'),
        ('{"z": 1, "aa": 2}', '{"aa":2,"z":1}'),  # jsonb puts the shorter name first
        ('{"\U0001f600": 1, "\uffee": 2}', '{"\uffee":2,"\U0001f600":1}'),  # code points, not UTF-16
        ('{"B": 1, "a": 2, "é": 3}', '{"B":1,"a":2,"é":3}'),
        ("{}", "{}"),
        ("[]", "[]"),
        ('[{}, [], [[]], {"a": {}}]', '[{},[],[[]],{"a":{}}]'),
        ("[1, -2, 3.50, -0.0, 0.000, 100, 1e3, 2.5E-3]", "[1,-2,3.5,0,0,100,1000,0.0025]"),
        ("[12345678901234567890.12345678901234567890]", "[12345678901234567890.1234567890123456789]"),
        ('[true, false, null, "true"]', '[true,false,null,"true"]'),
        (r'"a\"b\\c\/\u0041\u001F\n\u0008"', r'"a\"b\\c/A\u001f\n\b"'),
        ('"\x7f\u2028"', '"\x7f\u2028"'),
        ('{"a: {[,]}": ", :"}', '{"a: {[,]}":", :"}'),
        ('{"\\"": {"\\\\": 1}}', '{"\\"":{"\\\\":1}}'),
    ],
)
def test_a_document_is_written_in_one_way(written: str, canonical: str) -> None:
    assert canonical_json(written) == canonical
    assert canonical_json(canonical) == canonical


def test_a_document_may_be_nested_deeper_than_the_stack() -> None:
    text = '{"a":[' * 20_000 + "]}" * 20_000

    assert canonical_json(text) == text


def test_a_number_may_be_longer_than_python_reads_by_itself() -> None:
    digits = "9" * 100_000

    assert canonical_json(f"[{digits}.{digits}0]") == f"[{digits}.{digits}]"


def test_a_long_text_takes_no_time() -> None:
    text = json.dumps("\n\\x" * 500_000)

    assert canonical_json(text) == text


numbers = st.integers() | st.decimals(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
documents = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=30,
)


def naive(value: Any) -> str:
    """The rules, written down once more."""
    if isinstance(value, dict):
        members = sorted(value.items(), key=lambda member: member[0].encode())
        return "{" + ",".join(f"{naive(name)}:{naive(inner)}" for name, inner in members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(naive, value)) + "]"
    if isinstance(value, Decimal):
        text = f"{value:f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
        return "0" if text in ("-0", "") else text
    return json.dumps(value, ensure_ascii=False)


def loose(value: Any, *, backwards: bool, escaped: bool) -> str:
    """The same value in another of the many ways to write JSON."""
    if isinstance(value, dict):
        members = list(value.items())[:: -1 if backwards else 1]
        inner = " , ".join(
            f"{loose(name, backwards=backwards, escaped=escaped)} : "
            f"{loose(each, backwards=backwards, escaped=escaped)}"
            for name, each in members
        )
        return "{ " + inner + " }"
    if isinstance(value, list):
        inner = ",\n".join(loose(each, backwards=backwards, escaped=escaped) for each in value)
        return "[ " + inner + "]"
    if isinstance(value, Decimal):
        return str(value)
    return json.dumps(value, ensure_ascii=escaped)


@given(documents, st.booleans(), st.booleans())
def test_however_a_document_is_written_it_has_one_canonical_form(
    document: Any, backwards: bool, escaped: bool
) -> None:
    assert canonical_json(loose(document, backwards=backwards, escaped=escaped)) == naive(document)
