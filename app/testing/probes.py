"""The paths on which the access matrix looks: requests that tell what somebody may do, and write nothing.

A row that cannot be there tells rights on a table: who has the right hears that there is no such row (404),
who has not is refused (403). A path of the API is one line in `table_probes`, and one in `row_probes` where
it is about rows.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from orm.access import Operation
from orm.fields.base import Field
from orm.fields.numbers import NumberField
from orm.fields.text import SelectionField, TextField
from orm.metadata import ModelMeta

ABSENT: Final = 2**62
"""The id of no row: ids are given from 1 on."""

_VALUES: Final[Mapping[str, Any]] = {
    "boolean": True,
    "date": "2000-02-29",
    "datetime": "2000-02-29T12:00:00Z",
    "json": {},
    "time": "12:00:00",
    "uuid": "9f1c1f0e-6d5b-4b6e-8d43-0f6a4c1f3a55",
}


_SPECIAL: Final = frozenset({"computed", "many2one", "one2one"})
"""Kinds of fields that nobody writes, or whose values rights like to rest on."""


class Probe(msgspec.Struct, frozen=True):
    """One request about `operation`. `granted` are the statuses of those who may."""

    operation: Operation
    method: str
    path: str
    granted: frozenset[int]
    body: Any = None
    query: str = ""

    @property
    def name(self) -> str:
        """As it is shown."""
        return f"{self.method} {self.path}" + (f"?{self.query}" if self.query else "")


def table_probes(meta: ModelMeta, sample: Mapping[str, Any] | None) -> Iterator[Probe]:
    """What tells the rights on a table; without a `sample` row the creation of a single one is left out."""
    path, absent = f"/api/{meta.route}", f"/api/{meta.route}/{ABSENT}"
    there, no_row, made = frozenset({200}), frozenset({404}), frozenset({201})
    nothing = [["id", "=", ABSENT]]
    yield Probe("read", "GET", path, there, query="limit=1")
    yield Probe("read", "GET", path, there, query="limit=1&count=exact")
    yield Probe("read", "POST", f"{path}/search", there, {"limit": 1})
    yield Probe("read", "GET", absent, no_row)
    yield Probe("read", "POST", f"{path}/aggregate", there, {})
    yield Probe("read", "GET", f"{path}/export", there, query="format=jsonl&limit=1")
    if meta.auto_crud is not True:
        return
    yield Probe("create", "GET", f"{path}/defaults", there)
    yield Probe("create", "POST", path, made, [])
    if sample is not None:
        yield Probe("create", "POST", path, made, dict(sample))
    yield Probe("update", "PATCH", absent, no_row, {})
    value = _some_value(meta, sample or {})
    if value:
        yield Probe("update", "PATCH", path, there, {"filter": nothing, "values": value})
    yield Probe("delete", "DELETE", absent, no_row)
    yield Probe("delete", "POST", f"{path}/delete", there, {"filter": nothing})


def row_probes(meta: ModelMeta, id: int) -> Iterator[Probe]:
    """What tells the rights on one row. A row in use (409) may be deleted, as far as rights go."""
    path = f"/api/{meta.route}/{id}"
    yield Probe("read", "GET", path, frozenset({200}))
    if meta.auto_crud is True:
        yield Probe("update", "PATCH", path, frozenset({200}), {})
        yield Probe("delete", "DELETE", path, frozenset({204, 409}))


def listing_probes(meta: ModelMeta, ids: Sequence[int]) -> Iterator[Probe]:
    """What lists those of the rows `ids` that may be read, each answer with `total` and `data`."""
    path, granted = f"/api/{meta.route}", frozenset({200})
    body = {"filter": [["id", "in", list(ids)]], "fields": ["id"], "limit": 500, "count": "exact"}
    query = {**body, "filter": msgspec.json.encode(body["filter"]).decode(), "fields": "id"}
    yield Probe("read", "GET", path, granted, query=urlencode(query))
    yield Probe("read", "POST", f"{path}/search", granted, body)


def counting_probes(meta: ModelMeta, ids: Sequence[int]) -> Iterator[Probe]:
    """What writes those of the rows `ids` that may be written, each answer with `count`."""
    if meta.auto_crud is not True:
        return
    path, granted = f"/api/{meta.route}", frozenset({200})
    these = [["id", "in", list(ids)]]
    value = _some_value(meta, {})
    if value:
        yield Probe("update", "PATCH", path, granted, {"filter": these, "values": value})
    yield Probe("delete", "POST", f"{path}/delete", granted, {"filter": these})


def made_up(meta: ModelMeta) -> dict[str, Any] | None:
    """A row with a value for every field that must be given; None when a value cannot be thought of."""
    values = {field.name: _value(field) for field in meta.fields.values() if field.must_be_given}
    return None if None in values.values() else values


def _some_value(meta: ModelMeta, sample: Mapping[str, Any]) -> dict[str, Any]:
    """A value for one field that is open to whoever may change rows; none when there is no such field."""
    for field in meta.fields.values():
        if not field.stored or field.readonly or field.private or field.role_update or field.unique:
            continue
        if field.kind in _SPECIAL:
            continue
        value = None if field.nullable else sample.get(field.name, _value(field))
        if value is not None or field.nullable:
            return {field.name: value}
    return {}


def _value(field: Field) -> Any:
    """A value that the field takes, None when it cannot be told from the declaration."""
    if field.kind in _VALUES:
        return _VALUES[field.kind]
    if isinstance(field, SelectionField):
        return field.codes[0]
    if isinstance(field, TextField):
        return "x" * (field.min_length or 1) if field.pattern in (None, r"\S") else None
    if isinstance(field, NumberField):
        limits = field.constraints()
        return max(limits.get("ge", 0), min(limits.get("le", 0), 0))
    return None
