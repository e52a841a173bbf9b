"""The API of a project's models in the running application, behind a real sign-in."""

from collections.abc import AsyncIterator

import pytest

from orm import Char, DotModel
from tests.support.application import RunningApplication, running_application
from tests.support.identity import IdentityApps, IdentityModels


class Note(DotModel):
    """A model of a project of its own."""

    __table__ = "notes"

    name: str = Char(max_length=20, required=True)


class Models(IdentityModels):
    note = Note


@pytest.fixture
async def running(database_url: str) -> AsyncIterator[RunningApplication]:
    async with running_application(database_url, models=Models, apps=IdentityApps) as application:
        yield application


async def test_a_model_is_written_and_read_by_who_is_signed_in(running: RunningApplication) -> None:
    anonymous, admin, user = await running.client(), await running.as_admin(), await running.as_user("ada")
    made = await admin.post("/api/notes", json={"name": "a"})
    assert (made.status_code, made.headers["location"]) == (201, "/api/notes/1")
    assert (await admin.get("/api/notes/1")).json() == {"id": 1, "name": "a"}
    assert (await user.get("/api/notes/1")).status_code == 403
    refused = await anonymous.get("/api/notes/1")
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")


async def test_hand_written_routes_and_made_ones_share_a_path(running: RunningApplication) -> None:
    admin = await running.as_admin()
    listed = await admin.get("/api/users", params={"filter": '[["login","=","admin"]]'})
    assert [user["login"] for user in listed.json()["data"]] == ["admin"]
    assert "password" not in listed.text
    made = await admin.post(
        "/api/users", json={"login": "bob", "name": "Bob", "password": "a long enough password"}
    )
    assert made.status_code == 201
    assert (await admin.get(f"/api/users/{made.json()['id']}")).json()["login"] == "bob"
    wrong = await admin.put("/api/users")
    assert wrong.status_code == 405
    assert {"GET", "HEAD", "POST"} <= set(wrong.headers["allow"].split(", "))


async def test_a_private_field_cannot_be_asked_for(running: RunningApplication) -> None:
    admin = await running.as_admin()
    for query in ("fields=password_hash", "order=password_hash", 'filter=[["password_hash","like","$%"]]'):
        assert (await admin.get(f"/api/users?{query}")).status_code == 403
