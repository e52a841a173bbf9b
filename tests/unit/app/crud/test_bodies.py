from typing import Any

import msgspec
import pytest

from app.core.errors import Malformed
from app.crud.bodies import Bodies
from app.crud.payloads import MOST_RECORDS
from app.http.places import MOST_PLACES
from orm import Registry
from orm.errors import Invalid
from tests.integration.app.crud.world import MODELS

REGISTRY = Registry.compose(MODELS)
PERSON, TASK = REGISTRY.model("person"), REGISTRY.model("task")


def text(value: object) -> bytes:
    return msgspec.json.encode(value)


def test_rows_within_a_body_become_values_of_their_own_types() -> None:
    given = {
        "name": "Ada",
        "tasks": {
            "create": [{"title": "a", "hours": "1.5", "labels": {"set": [1], "create": [{"name": "b"}]}}],
            "update": [{"id": 7, "due_at": "2026-01-01T00:00:00Z"}],
            "unlink": [],
        },
    }
    values = Bodies().creation(PERSON, text(given))
    assert list(values) == ["name", "tasks"]
    [new] = values["tasks"]["create"]
    assert str(new["hours"]) == "1.5"
    assert new["labels"] == {"set": [1], "create": [{"name": "b"}]}
    [changed] = values["tasks"]["update"]
    assert (changed["id"], changed["due_at"].year) == (7, 2026)
    assert values["tasks"]["unlink"] == []
    assert values["tasks"].keys() == {"create", "update", "unlink"}


def test_commands_come_in_the_order_in_which_they_run() -> None:
    given = {"labels": {"delete": [1], "create": [], "link": [2], "set": []}}
    assert list(Bodies().change(TASK, text(given))["labels"]) == ["set", "link", "create", "delete"]


def test_what_is_wrong_in_several_rows_is_told_at_once() -> None:
    given = [
        {"name": "a", "tasks": {"create": [{"title": ""}, {"title": "b"}, 7]}},
        {"name": "b", "tasks": {"update": [{"id": -1, "owner_id": None}], "add": []}},
    ]
    with pytest.raises(Invalid) as caught:
        Bodies().creations(PERSON, text(given))
    # The second row has a command that there is not: so far the outer form is told.
    assert {place.pointer: place.code for place in caught.value.errors} == {"/1/tasks/add": "unknown"}
    del given[1]["tasks"]["add"]  # type: ignore[attr-defined]
    with pytest.raises(Invalid) as caught:
        Bodies().creations(PERSON, text(given))
    assert {place.pointer: place.code for place in caught.value.errors} == {
        "/0/tasks/create/0/title": "length",
        "/0/tasks/create/2": "type",
        "/1/tasks/update/0/id": "range",
        "/1/tasks/update/0/owner_id": "type",
    }
    assert caught.value.detail == "The body is wrong in 4 places."


def test_no_more_places_are_told_than_anybody_reads() -> None:
    given = {"name": "a", "tasks": {"create": [{}] * 200}}
    with pytest.raises(Invalid) as caught:
        Bodies().creation(PERSON, text(given))
    assert len(caught.value.errors) == MOST_PLACES


@pytest.mark.parametrize("kind", ["creation", "change"])
def test_rows_count_whatever_becomes_of_them(kind: str) -> None:
    half = list(range(MOST_RECORDS // 2))
    given: dict[str, Any] = {
        "title": "a",
        "owner_id": 1,
        "labels": {"link": half},
        "children": {"link": half},
    }
    assert getattr(Bodies(), kind)(TASK, text(given))
    given["labels"]["unlink"] = [1]
    with pytest.raises(Invalid) as caught:
        getattr(Bodies(), kind)(TASK, text(given))
    assert [place.code for place in caught.value.errors] == ["too_many"]


def test_a_body_without_relations_is_decoded_once() -> None:
    bodies = Bodies()
    assert bodies.change(TASK, b'{"note":null}') == {"note": None}
    assert bodies.creations(REGISTRY.model("vault"), b'[{"content":"a"}]') == [{"content": "a"}]
    assert len(vars(bodies)["_decoders"]) == 2


@pytest.mark.parametrize("body", [b"", b"{", b'{"tasks": {"create": [{]}}', b'{"tasks":' + b"[" * 5000])
def test_what_is_not_json_is_malformed_wherever_it_is_not(body: bytes) -> None:
    with pytest.raises(Malformed):
        Bodies().creation(PERSON, body)
