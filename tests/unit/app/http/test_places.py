import time
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal, Optional

import msgspec
import pytest
from msgspec import Meta

from app.http.places import MOST_PLACES, place_of, places_in


class Leaf(msgspec.Struct, forbid_unknown_fields=True):
    a: int
    b: Annotated[str, Meta(min_length=2, max_length=3, pattern="^x")] = "xx"

    def __post_init__(self) -> None:
        if self.a == 7:
            raise ValueError("seven is taken")


class Tree(msgspec.Struct):
    children: list["Tree"]


class Renamed(msgspec.Struct, rename="camel"):
    user_id: int


class Form(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    leaf: Leaf | None = None
    old_style: Optional[Leaf] = None  # noqa: UP045 - both spellings must be taken apart
    leaves: Annotated[list[Leaf], Meta(max_length=3)] = []
    by_name: dict[str, Leaf] = {}
    by_number: dict[int, int] = {}
    size: Annotated[int, Meta(ge=1, multiple_of=2)] = 2
    at: Annotated[datetime, Meta(tz=True)] | None = None
    price: Decimal | None = None
    kind: Literal["one", "two"] = "one"
    renamed: Renamed | None = None
    either: int | str | None = None


def found(text: bytes, expected: object = Form) -> dict[str, str]:
    return {place.pointer: place.code for place in places_in(text, expected)}


@pytest.mark.parametrize(
    ("text", "places"),
    [
        (b"{}", {"/name": "required"}),
        (b"[]", {"": "type"}),
        (b"null", {"": "type"}),
        (b'{"name": 1}', {"/name": "type"}),
        (b'{"name": null}', {"/name": "type"}),
        (b'{"name": "n", "x": 1, "y/~": 2}', {"/x": "unknown", "/y~1~0": "unknown"}),
        (b'{"name": "n", "size": 0}', {"/size": "range"}),
        (b'{"name": "n", "size": 3}', {"/size": "range"}),
        (b'{"name": "n", "kind": "three"}', {"/kind": "choice"}),
        (b'{"name": "n", "at": "now"}', {"/at": "format"}),
        (b'{"name": "n", "at": "2026-01-31T12:00:00"}', {"/at": "format"}),
        (b'{"name": "n", "price": "dear"}', {"/price": "format"}),
        (b'{"name": "n", "either": []}', {"/either": "type"}),
        (b'{"name": "n", "leaf": {"a": 1, "b": "x"}}', {"/leaf/b": "length"}),
        (b'{"name": "n", "leaf": {"a": 1, "b": "yy"}}', {"/leaf/b": "pattern"}),
        (b'{"name": "n", "leaf": {"a": 7}}', {"/leaf": "invalid"}),
        (b'{"name": "n", "leaf": 1}', {"/leaf": "type"}),
        (b'{"name": "n", "leaves": [{"a": 1}, {"a": 1}, {"a": 1}, {"a": 1}]}', {"/leaves": "length"}),
        (b'{"name": "n", "leaves": {}}', {"/leaves": "type"}),
        (b'{"name": "n", "by_number": {"x": 1}}', {"/by_number": "type"}),
        (b'{"name": "n", "renamed": {}}', {"/renamed/userId": "required"}),
        (
            (
                b'{"leaf": {"b": 1, "c": 2}, "old_style": {}, "leaves": [{"a": 1}, {"a": ""}, 3],'
                b' "by_name": {"k/1": {"a": null}}, "by_number": {"1": "one"}, "size": "big", "zzz": 0}'
            ),
            {
                "/name": "required",
                "/leaf/a": "required",
                "/leaf/b": "type",
                "/leaf/c": "unknown",
                "/old_style/a": "required",
                "/leaves/1/a": "type",
                "/leaves/2": "type",
                "/by_name/k~11/a": "type",
                "/by_number/1": "type",
                "/size": "type",
                "/zzz": "unknown",
            },
        ),
    ],
)
def test_all_places_are_told_at_once(text: bytes, places: dict[str, str]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(text, type=Form)
    assert found(text) == places


def test_a_text_that_fits_has_no_places() -> None:
    text = b'{"name": "n", "leaf": null, "leaves": [{"a": 1}], "at": "2026-01-31T12:00:00Z", "price": "1.5"}'
    assert msgspec.json.decode(text, type=Form).name == "n"
    assert places_in(text, Form) == ()


def test_a_list_at_the_top_is_taken_apart() -> None:
    assert found(b'[{"a": 1}, {"a": "x"}, {}]', list[Leaf]) == {"/1/a": "type", "/2/a": "required"}


@pytest.mark.parametrize("text", [b'{"name": 1, ]', b'{"zzz": 1, "name"', b'{"name": 1} x'])
def test_a_text_that_breaks_off_later_is_no_json_and_has_no_places(text: bytes) -> None:
    with pytest.raises(msgspec.DecodeError) as error:
        places_in(text, Form)
    assert not isinstance(error.value, msgspec.ValidationError)


def test_a_hostile_text_gets_a_short_answer_in_a_short_time() -> None:
    many = b"{" + b",".join(b'"k%d":0' % number for number in range(100_000)) + b"}"
    started_at = time.process_time()
    assert len(places_in(many, Form)) == MOST_PLACES
    assert len(places_in(b"[" + b"0," * 300_000 + b'"x"]', list[int])) == 1
    deep = b'{"children":[' * 300 + b"0" + b"]}" * 300
    assert [place.pointer for place in places_in(deep, Tree)] == ["/children/0" * 300]
    assert time.process_time() - started_at < 2


@pytest.mark.parametrize(
    ("sentence", "pointer", "code", "message"),
    [
        ("Expected `int`, got `str` - at `$.a[0].b`", "/a/0/b", "type", "Expected `int`, got `str`"),
        ("Expected `int`, got `str` - at `$.c[...]`", "/c/*", "type", "Expected `int`, got `str`"),
        ("Expected `int`, got `str` - at `key` in `$.m`", "/m", "type", "Expected `int`, got `str`"),
        (
            "Object contains unknown field `q` - at `$.s[0]`",
            "/s/0/q",
            "unknown",
            "Object contains unknown field `q`",
        ),
        ("Expected `object`, got `array`", "", "type", "Expected `object`, got `array`"),
        ("Integer value out of range - at `$.n`", "/n", "range", "Integer value out of range"),
        ("a sentence of our own - at `$`", "", "invalid", "a sentence of our own"),
    ],
)
def test_msgspec_s_sentence_becomes_a_pointer_and_a_code(
    sentence: str, pointer: str, code: str, message: str
) -> None:
    place = place_of(msgspec.ValidationError(sentence))
    assert (place.pointer, place.code, place.message) == (pointer, code, message)
