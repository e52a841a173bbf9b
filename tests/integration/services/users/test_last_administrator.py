import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from orm.errors import Conflict
from services.users.actions import create_user, delete_user, disable_user, update_user
from services.users.models import User
from tests.support.application import PASSWORD, RunningApplication


async def administrators(running: RunningApplication) -> list[int]:
    with running.env.system():
        found = await User.search([("is_admin", "=", True), ("active", "=", True)], ["id"])
    return [user.id for user in found]


REMOVALS: list[tuple[str, dict[str, Any] | None]] = [
    ("PATCH", {"is_admin": False}),
    ("PATCH", {"active": False}),
    ("DELETE", None),
]


@pytest.mark.parametrize(("method", "body"), REMOVALS, ids=["demoted", "disabled", "deleted"])
async def test_the_last_active_administrator_stays(
    identity: RunningApplication, method: str, body: dict[str, Any] | None
) -> None:
    admin = await identity.as_admin()
    made = {"login": "former", "password": "another password", "is_admin": True}
    former = (await admin.post("/api/users", json=made)).json()["id"]
    assert (await admin.patch(f"/api/users/{former}", json={"active": False})).status_code == 200

    answer = await admin.request(method, "/api/users/1", json=body)

    assert answer.status_code == 409
    assert "last active administrator" in answer.json()["detail"]
    assert await administrators(identity) == [1]
    assert (await admin.get("/me")).status_code == 200


@pytest.mark.parametrize(("method", "body"), REMOVALS, ids=["demoted", "disabled", "deleted"])
async def test_one_of_two_may_go(
    identity: RunningApplication, method: str, body: dict[str, Any] | None
) -> None:
    other = await identity.as_user("ada", is_admin=True)

    answer = await other.request(method, "/api/users/1", json=body)

    assert answer.status_code in (200, 204)
    assert len(await administrators(identity)) == 1


@pytest.mark.parametrize(
    "remove",
    [lambda user_id: update_user(user_id, is_admin=False), disable_user, delete_user],
    ids=["demote", "disable", "delete"],
)
async def test_of_many_who_are_removed_at_the_same_time_one_stays(
    identity: RunningApplication, remove: Callable[[int], Awaitable[object]]
) -> None:
    with identity.env.system():
        for number in range(5):
            await create_user(login=f"admin{number}", password=PASSWORD, is_admin=True)
        ids = await administrators(identity)

        outcomes = await asyncio.gather(*(remove(user_id) for user_id in ids), return_exceptions=True)

    assert [type(outcome) for outcome in outcomes if isinstance(outcome, Exception)] == [Conflict]
    assert len(await administrators(identity)) == 1
