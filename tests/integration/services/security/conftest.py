"""An application with users, sessions and a model of notes, on one database for all tests in here."""

from collections.abc import AsyncIterator

import pytest_asyncio

from orm import Char, DotModel, Integer, Many2one, Ref
from services.users.models import User
from tests.support.application import RunningApplication, running_application
from tests.support.identity import (
    IdentityApps,
    IdentityModels,
    database_url,
    identity,
    identity_database_url,
)

__all__ = ["database_url", "identity", "identity_database_url"]


class Note(DotModel):
    """What the tests give and refuse rights to."""

    __table__ = "notes"

    owner_id: Ref[User] | None = Many2one("users", ondelete="cascade")
    text: str = Char(max_length=80, required=True)
    price: int | None = Integer(role_read="manager", role_create="manager", role_update="manager")


class NoteModels(IdentityModels):
    """Users, rights, and notes."""

    note = Note


@pytest_asyncio.fixture
async def notes(database_url: str) -> AsyncIterator[RunningApplication]:
    """One process that knows users, rights and notes."""
    async with running_application(database_url, models=NoteModels, apps=IdentityApps) as running:
        yield running
