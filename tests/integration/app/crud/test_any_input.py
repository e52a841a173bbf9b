"""Whatever comes in, the answer is no error of ours.

A connection that was not given back would be missed: the pool has four.
"""

import string
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.app.crud.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

WORDS = (
    "id", "title", "owner_id", "owner_id.name", "labels", "labels.name", "children", "token", "hours",
    "details", "name", "=", "in", "some", "between", "like", "or", "not", "is null", "allowed", "read",
    "create", "update", "link", "set", "delete", "limit", "fields", "nested", "filter", "order", "values",
    "group_by", "count", "sum", "created_at:month", "all", "method", "path", "body", "GET", "POST",
    "/api/tasks", "/api/tasks/{0.id}", "$ref", "0.id", "0.data.0.id", "'; DROP TABLE tasks; --", "\0",
    "\ud7ff", "",
)  # fmt: skip

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(WORDS)
    | st.text(max_size=5)
)
anything: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)

WRITES = (
    ("POST", "/api/tasks"),
    ("POST", "/api/tasks?on=owner_id,title"),
    ("PATCH", "/api/tasks"),
    ("PATCH", "/api/tasks/1"),
    ("DELETE", "/api/tasks/1"),
    ("POST", "/api/tasks/search"),
    ("POST", "/api/tasks/delete"),
    ("POST", "/api/tasks/aggregate"),
    ("POST", "/api/tasks/1/postpone"),
    ("POST", "/api/people"),
    ("PATCH", "/api/labels/1"),
    ("POST", "/api/batch"),
)


async def expect_sane(world: World, who: str, method: str, path: str, body: object, **headers: str) -> None:
    answer = await world.ask(who, method, path, body, **headers)
    assert 200 <= answer.status < 500, (method, path, body, answer.body)
    assert answer.is_complete
    if answer.status >= 400:
        assert answer.headers["content-type"] == "application/problem+json"


@QUICK
@given(who=st.sampled_from(["admin", "bob", "mute"]), route=st.sampled_from(WRITES), body=anything)
async def test_any_json_is_answered(module_world: World, who: str, route: tuple[str, str], body: Any) -> None:
    try:
        text = msgspec.json.encode(body)
    except (msgspec.ValidationError, ValueError, OverflowError):
        return  # half a surrogate pair is no text to begin with
    await expect_sane(module_world, who, *route, text)


entries = st.fixed_dictionaries(
    {
        "method": st.sampled_from(["GET", "POST", "PATCH", "DELETE"]),
        "path": st.sampled_from([path for _, path in WRITES]),
    },
    optional={
        "body": anything,
        "headers": st.dictionaries(st.sampled_from(["If-Match", "x"]), st.text(max_size=5)),
    },
)


def shape(*optional: str, **required: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """An object of these names, the optional ones with anything."""
    return st.fixed_dictionaries(required, optional=dict.fromkeys(optional, anything))


shaped = st.one_of(
    shape("filter", "fields", "nested", "order", "limit"),
    shape("filter", "group_by", "all", values=anything),
    shape("labels", "children", title=scalars, owner_id=scalars),
    st.lists(entries, max_size=4),
)


@QUICK
@given(who=st.sampled_from(["admin", "bob"]), route=st.sampled_from(WRITES), body=shaped)
async def test_any_body_of_nearly_the_right_form_is_answered(
    module_world: World, who: str, route: tuple[str, str], body: Any
) -> None:
    await expect_sane(module_world, who, *route, msgspec.json.encode(body))


READS = (
    "/api/tasks",
    "/api/tasks/1",
    "/api/tasks/export",
    "/api/tasks/fields",
    "/api/people",
    "/api/journal/1",
)
parameters = st.lists(
    st.tuples(
        st.sampled_from(
            ["filter", "fields", "order", "limit", "offset", "after", "count", "format", "on", "x"]
        ),
        st.text(string.printable, max_size=12) | st.sampled_from(WORDS),
    ),
    max_size=3,
)


@QUICK
@given(who=st.sampled_from(["admin", "bob"]), path=st.sampled_from(READS), given_parameters=parameters)
async def test_any_query_is_answered(
    module_world: World, who: str, path: str, given_parameters: list[tuple[str, str]]
) -> None:
    query = "&".join(f"{name}={value}" for name, value in given_parameters)
    await expect_sane(module_world, who, "GET", f"{path}?{query}", b"")


@QUICK
@given(
    name=st.sampled_from(["if_match", "if_none_match"]),
    value=st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=20),
)
async def test_any_precondition_is_answered(module_world: World, name: str, value: str) -> None:
    for method in ("GET", "PATCH"):
        await expect_sane(module_world, "admin", method, "/api/tasks/1", b"{}", **{name: value})
