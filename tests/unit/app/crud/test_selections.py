import pytest

from app.crud.bounds import NESTED_LIMIT
from app.crud.selections import LONGEST, MOST, Selections
from orm import Registry
from orm.errors import Invalid
from tests.integration.app.crud.world import MODELS

TASK = Registry.compose(MODELS).model("task")


def test_what_is_asked_for_again_is_not_read_again() -> None:
    selections = Selections(TASK)
    assert selections.of(b"fields=title,owner_id.name") == (["title", "owner_id.name"], {})
    assert selections.of(b"fields=labels.name") == (["labels.name"], {"labels": {"limit": NESTED_LIMIT}})
    assert selections.of(b"fields=title") is selections.of(b"fields=title")


def test_a_client_cannot_fill_the_memory() -> None:
    selections = Selections(TASK)
    first = selections.of(b"fields=title")
    for number in range(MOST):
        selections.of(b"fields=title,f%d" % number)
    assert selections.of(b"fields=title") is not first
    long = b"fields=" + b"title," * LONGEST
    assert selections.of(long) is not selections.of(long)


def test_what_is_wrong_is_refused_each_time() -> None:
    selections = Selections(TASK)
    for _ in range(2):
        with pytest.raises(Invalid) as caught:
            selections.of(b"colour=red")
        assert [place.pointer for place in caught.value.errors] == ["/query/colour"]
