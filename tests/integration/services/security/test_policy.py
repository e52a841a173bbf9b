from collections.abc import Awaitable, Callable

import pytest

from app.core.access import AccessSession, reset_access_session, set_access_session
from orm.errors import AccessDenied
from services.users.models import User
from tests.support.application import RunningApplication

ADMIN = AccessSession(user_id=1, login="admin", name="Admin", is_admin=True)
USER = AccessSession(user_id=2, login="ada", name="Ada")


@pytest.mark.parametrize("asker", [None, USER], ids=["nobody", "somebody"])
async def test_every_verb_is_denied_to_whoever_has_no_right(
    identity: RunningApplication, asker: AccessSession | None
) -> None:
    with identity.env.system():
        user = await User.get(1)
    verbs: list[Callable[[], Awaitable[object]]] = [
        lambda: User.get(1),
        lambda: User.get_or_none(1),
        User.search,
        User.search_count,
        User.exists,
        lambda: User.create(login="mallory", name="Mallory", password_hash="x"),
        lambda: User.create_bulk([{"login": "mallory", "name": "Mallory", "password_hash": "x"}]),
        lambda: User.update_bulk([], all=True, is_admin=True),
        lambda: User.delete_bulk([], all=True),
        lambda: user.update(name="Mallory"),
        user.refresh,
        user.delete,
    ]

    token = set_access_session(asker)
    try:
        with identity.env.bind():
            for verb in verbs:
                with pytest.raises(AccessDenied):
                    await verb()
    finally:
        reset_access_session(token)

    with identity.env.system():
        assert [(each.login, each.name) for each in await User.search()] == [("admin", "admin")]


async def test_an_administrator_sees_every_row(identity: RunningApplication) -> None:
    token = set_access_session(ADMIN)
    try:
        with identity.env.bind():
            assert [user.login for user in await User.search()] == ["admin"]
    finally:
        reset_access_session(token)


async def test_the_policy_outlives_the_service(identity: RunningApplication) -> None:
    await identity.env.stop_services(identity.app)

    assert identity.env.policy is not None
