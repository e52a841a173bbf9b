"""Stamps of who and when, without a database: what the hooks put into the values."""

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import pytest

from app.core.access import AccessSession, reset_access_session, set_access_session
from app.core.stamps import Stamped
from orm import Char, DotModel, Registry, context, system

NOW: Final = dt.datetime(2024, 2, 29, 12, tzinfo=dt.UTC)
EARLIER: Final = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


class User(DotModel):
    __table__ = "users"

    name: str = Char(required=True)


class Loud(DotModel):
    """Another mixin, which has to be heard as well."""

    @classmethod
    async def before_create(cls, records: list[dict[str, Any]]) -> None:
        await super().before_create(records)
        for record in records:
            record["title"] = record["title"].upper()


class Note(Stamped, Loud):
    __table__ = "notes"

    title: str = Char(required=True)


REGISTRY: Final = Registry.compose({"note": Note, "user": User})


class Clock:
    """A database that only tells the time."""

    def now(self) -> dt.datetime:
        """See Database."""
        return NOW


class Home:
    """A home without a database."""

    registry = REGISTRY
    policy = None
    db: Any = Clock()

    def marks(self) -> Mapping[str, str]:
        """See Home."""
        return {}


@contextmanager
def asking(user_id: int | None) -> Iterator[None]:
    session = None if user_id is None else AccessSession(user_id=user_id, login="ada", name="Ada")
    token = set_access_session(session)
    try:
        with context.bind(Home()):
            yield
    finally:
        reset_access_session(token)


async def test_new_rows_have_the_asker_and_the_time_of_the_transaction() -> None:
    records: list[dict[str, Any]] = [{"title": "a"}, {"title": "b"}]
    with asking(7), system():
        await Note.before_create(records)

    stamps = {"created_at": NOW, "created_by": 7, "updated_at": NOW, "updated_by": 7}
    assert records == [{"title": "A", **stamps}, {"title": "B", **stamps}]


async def test_a_change_has_the_asker_and_the_time_and_leaves_the_creation_alone() -> None:
    values: dict[str, Any] = {"title": "b"}
    with asking(8):
        await Note.before_update([1, 2], values)

    assert values == {"title": "b", "updated_at": NOW, "updated_by": 8}


async def test_the_program_by_itself_is_nobody() -> None:
    values: dict[str, Any] = {}
    with asking(None):
        await Note.before_update([1], values)

    assert values == {"updated_at": NOW, "updated_by": None}


async def test_what_a_program_names_itself_is_kept() -> None:
    records: list[dict[str, Any]] = [{"title": "a", "created_at": EARLIER, "created_by": None}]
    with asking(7):
        await Note.before_create(records)

    assert records[0] == {
        "title": "A",
        "created_at": EARLIER,
        "created_by": None,
        "updated_at": NOW,
        "updated_by": 7,
    }


@pytest.mark.parametrize("name", ["created_at", "created_by", "updated_at", "updated_by"])
def test_stamps_are_readonly_and_may_be_absent_in_rows_that_are_older(name: str) -> None:
    field = REGISTRY.of(Note).fields[name]

    assert field.readonly
    assert field.nullable
