"""Two processes on one database: what ends in one is over in the other within a second."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from time import monotonic
from typing import Any

import asyncpg
import httpx
import pytest

from services.security.app import SecurityService
from services.users.actions import disable_user, set_password, update_user
from tests.support.application import RunningApplication, running_application
from tests.support.eventually import eventually
from tests.support.identity import IdentityApps, IdentityModels

Processes = tuple[RunningApplication, RunningApplication]


@pytest.fixture
async def processes(database_url: str) -> AsyncIterator[Processes]:
    async with AsyncExitStack() as stack:
        one, other = [
            await stack.enter_async_context(
                running_application(database_url, models=IdentityModels, apps=IdentityApps)
            )
            for _ in range(2)
        ]
        yield one, other


async def on_the_other(processes: Processes, client: httpx.AsyncClient) -> httpx.AsyncClient:
    """The same token at the other process, which knows it from now on."""
    token = client.headers["authorization"].removeprefix("Bearer ")
    there = await processes[1].client(token=token)
    assert (await there.get("/me")).status_code == 200
    return there


PROMISED_SECONDS = 1.0 + 0.5
"""And half a second for a machine that has other things to do than to ask."""


async def seconds_until(client: httpx.AsyncClient, status: int) -> float:
    """How long it takes until a change of /me, which changes nothing, is answered with that status."""
    started_at = monotonic()
    async with asyncio.timeout(10):
        while (await client.patch("/me", json={})).status_code != status:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    return monotonic() - started_at


async def user_id_of(client: httpx.AsyncClient) -> int:
    user_id: int = (await client.get("/me")).json()["id"]
    return user_id


async def logout(here: httpx.AsyncClient, running: RunningApplication) -> None:
    assert (await here.post("/logout")).status_code == 204


async def terminate_all(here: httpx.AsyncClient, running: RunningApplication) -> None:
    assert (await here.post("/sessions/terminate_all")).status_code == 204


async def disable(here: httpx.AsyncClient, running: RunningApplication) -> None:
    with running.env.system():
        await disable_user(await user_id_of(here))


async def new_password(here: httpx.AsyncClient, running: RunningApplication) -> None:
    with running.env.system():
        await set_password(await user_id_of(here), "another password")


async def delete(here: httpx.AsyncClient, running: RunningApplication) -> None:
    admin = await running.as_admin()
    assert (await admin.delete(f"/api/users/{await user_id_of(here)}")).status_code == 204


@pytest.mark.parametrize("end", [logout, terminate_all, disable, new_password, delete])
async def test_a_session_that_ends_is_refused_here_at_once_and_elsewhere_within_a_second(
    processes: Processes, end: Callable[[httpx.AsyncClient, RunningApplication], Awaitable[None]]
) -> None:
    here = await processes[0].as_user("ada")
    there = await on_the_other(processes, here)

    await end(here, processes[0])

    assert (await here.get("/me")).status_code == 401
    assert await seconds_until(there, 401) < PROMISED_SECONDS


async def test_an_administrator_who_is_none_any_more_is_refused_elsewhere_within_a_second(
    processes: Processes,
) -> None:
    here = await processes[0].as_user("ada", is_admin=True)
    there = await on_the_other(processes, here)
    assert (await there.patch("/api/users/1", json={})).status_code == 200

    with processes[0].env.system():
        await update_user(await user_id_of(here), is_admin=False)
    started_at = monotonic()
    async with asyncio.timeout(5):
        while (await there.patch("/api/users/1", json={})).status_code != 403:  # noqa: ASYNC110
            await asyncio.sleep(0.005)

    assert monotonic() - started_at < PROMISED_SECONDS
    assert (await there.get("/me")).json()["is_admin"] is False


async def test_other_sessions_go_on(processes: Processes) -> None:
    ada, bob = await processes[0].as_user("ada"), await processes[0].as_user("bob")
    there = await on_the_other(processes, bob)

    await ada.post("/logout")
    await seconds_until(ada, 401)

    assert [(await client.get("/me")).status_code for client in (bob, there)] == [200, 200]


async def test_a_change_that_is_rolled_back_ends_nothing(processes: Processes) -> None:
    here = await processes[0].as_user("ada")
    env = processes[0].env
    generation = env.service(SecurityService).revisions.generation
    user_id = await user_id_of(here)

    async def change_ones_mind() -> None:
        async with env.db.transaction():
            await disable_user(user_id)
            raise RuntimeError("changed my mind")

    with env.system(), pytest.raises(RuntimeError, match="changed my mind"):
        await change_ones_mind()

    assert (await here.get("/me")).status_code == 200
    assert env.service(SecurityService).revisions.generation == generation


async def test_a_process_that_cannot_read_the_revision_asks_the_database_each_time(
    processes: Processes, caplog: pytest.LogCaptureFixture
) -> None:
    here = await processes[0].as_user("ada")
    there = await on_the_other(processes, here)
    other = processes[1].env
    token = there.headers["authorization"].removeprefix("Bearer ")
    revisions = other.service(SecurityService).revisions
    assert other.authenticator is not None
    assert other.authenticator.cached(token) is not None

    async def nowhere() -> None:
        raise ConnectionRefusedError("nobody there")

    connect, other.db.connect = other.db.connect, nowhere  # type: ignore[method-assign, assignment]
    await processes[0].env.db.fetch(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND query LIKE '%access_revisions WHERE%' "
        "AND pid <> pg_backend_pid()"
    )
    await eventually(lambda: not revisions.is_current())
    assert other.authenticator.cached(token) is None
    assert (await there.get("/me")).status_code == 200  # the pool has connections of its own
    await here.post("/logout")
    assert (await there.get("/me")).status_code == 401  # at once: nothing is remembered

    other.db.connect = connect  # type: ignore[method-assign]
    await eventually(revisions.is_current)
    assert "can be read again" in caplog.text


async def test_an_exhausted_pool_keeps_nobody_from_noticing(processes: Processes) -> None:
    here = await processes[0].as_user("ada")
    there = await on_the_other(processes, here)
    other = processes[1].env
    revisions = other.service(SecurityService).revisions
    generation = revisions.generation
    links = [await other.db.pool.take() for _ in range(10)]
    try:
        await here.post("/logout")
        await eventually(lambda: revisions.generation > generation, within_seconds=1.0)
        assert revisions.is_current()
    finally:
        for link in links:
            other.db.pool.give(link)

    assert (await there.get("/me")).status_code == 401


async def test_a_known_token_costs_no_query(processes: Processes) -> None:
    here = await processes[0].as_user("ada")
    await here.get("/me")
    env = processes[0].env
    assert env.authenticator is not None
    token = here.headers["authorization"].removeprefix("Bearer ")
    before = env.db.pool.round_trips

    session = env.authenticator.cached(token)

    assert session is not None
    assert session.login == "ada"
    assert env.db.pool.round_trips == before


async def test_a_new_name_is_seen_by_everybody_within_a_second(processes: Processes) -> None:
    here = await processes[0].as_user("ada")
    there = await on_the_other(processes, here)
    other = processes[1].env.authenticator
    assert other is not None
    token = there.headers["authorization"].removeprefix("Bearer ")

    def name() -> str | None:
        session = other.cached(token)
        return None if session is None else session.name

    assert name() == "Ada"
    await here.patch("/me", json={"name": "Ada Lovelace"})

    # Without a request: what a process knows is read again as soon as it has heard of the change.
    await eventually(lambda: name() == "Ada Lovelace", within_seconds=1.0)


async def at_the_database(processes: Processes, sql: str) -> None:
    """What an administrator does there by hand: no process takes part in it."""
    connection = await asyncpg.connect(processes[0].env.db.url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


async def test_a_session_that_ends_at_the_database_itself_is_refused_everywhere_within_a_second(
    processes: Processes,
) -> None:
    for number, sql in enumerate(
        (
            "UPDATE users SET active = false WHERE login = '{login}'",
            "UPDATE users SET credentials_version = credentials_version + 1 WHERE login = '{login}'",
            "DELETE FROM users WHERE login = '{login}'",
            "UPDATE sessions SET revoked_at = now()",
            "UPDATE sessions SET expires_at = now()",
            "UPDATE sessions SET user_id = 1",
            "DELETE FROM sessions",
            "TRUNCATE sessions CASCADE",
        )
    ):
        here = await processes[0].as_user(f"user{number}")
        there = await on_the_other(processes, here)

        await at_the_database(processes, sql.format(login=f"user{number}"))

        assert await seconds_until(there, 401) < PROMISED_SECONDS, sql
        assert await seconds_until(here, 401) < PROMISED_SECONDS, sql


async def key_of(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.post("/api_keys", json={"name": "a key", "scopes": ["me:*"]})
    key: dict[str, Any] = answer.json()
    return key


async def test_a_key_that_ends_at_the_database_itself_is_refused_everywhere_within_a_second(
    processes: Processes,
) -> None:
    for number, (sql, status) in enumerate(
        (
            ("UPDATE users SET active = false WHERE login = '{login}'", 401),
            ("DELETE FROM users WHERE login = '{login}'", 401),
            ("UPDATE api_keys SET revoked_at = now()", 401),
            ("UPDATE api_keys SET expires_at = now()", 401),
            ("UPDATE api_keys SET user_id = 1, scopes = '[]'", 403),
            ("DELETE FROM api_keys", 401),
            ("TRUNCATE api_keys", 401),
        )
    ):
        key = (await key_of(await processes[0].as_user(f"user{number}")))["key"]
        here = await processes[0].client(token=key)
        assert (await here.get("/me")).status_code == 200
        there = await on_the_other(processes, here)

        await at_the_database(processes, sql.format(login=f"user{number}"))

        assert await seconds_until(there, status) < PROMISED_SECONDS, sql
        assert await seconds_until(here, status) < PROMISED_SECONDS, sql


async def test_a_removed_key_is_refused_here_at_once_and_elsewhere_within_a_second(
    processes: Processes,
) -> None:
    ada = await processes[0].as_user("ada")
    key = await key_of(ada)
    here = await processes[0].client(token=key["key"])
    there = await on_the_other(processes, here)

    assert (await ada.delete(f"/api_keys/{key['id']}")).status_code == 204

    assert (await here.get("/me")).status_code == 401
    assert await seconds_until(there, 401) < PROMISED_SECONDS


GIVE = "INSERT INTO user_roles (user_id, role_id) SELECT users.id, roles.id FROM users, roles "
TAKE = "DELETE FROM user_roles USING users, roles WHERE user_id = users.id AND role_id = roles.id "


async def test_roles_that_are_given_or_taken_at_the_database_itself_are_known_within_a_second(
    processes: Processes,
) -> None:
    here = await processes[0].as_user("ada")
    there = await on_the_other(processes, here)
    token = there.headers["authorization"].removeprefix("Bearer ")
    authenticator = processes[1].env.authenticator
    assert authenticator is not None

    def codes() -> frozenset[str]:
        session = authenticator.cached(token)
        return session.role_codes if session is not None else frozenset()

    await eventually(lambda: codes() == {"base_user"})
    await at_the_database(processes, f"{GIVE} WHERE login = 'ada' AND code = 'manager'")
    await eventually(lambda: codes() == {"base_user", "manager"}, within_seconds=1.0)
    await at_the_database(processes, f"{TAKE} AND login = 'ada' AND code = 'base_user'")
    await at_the_database(processes, "UPDATE users SET name = 'Countess' WHERE login = 'ada'")
    # A manager has what a base user has.
    await eventually(lambda: codes() == {"base_user", "manager"}, within_seconds=1.0)
    await at_the_database(processes, f"{TAKE} AND login = 'ada'")
    session = await authenticator.verify_access(token)
    assert (session.role_ids, session.role_codes) == (frozenset(), frozenset())


async def test_what_ends_nothing_makes_nobody_forget(processes: Processes) -> None:
    ada = await processes[0].as_user("ada")
    key = (await key_of(ada))["key"]
    signed_in = await processes[0].sign_in("ada")
    revision = "SELECT revision FROM access_revisions"
    before = await processes[0].env.db.fetchval(revision)

    await processes[0].sign_in("ada")
    await ada.post("/token/refresh", json={"refresh_token": signed_in["refresh_token"]})
    await (await processes[0].client(token=key)).get("/me")
    await key_of(ada)
    await at_the_database(processes, "UPDATE sessions SET last_seen_at = now(), address = 'elsewhere'")
    await at_the_database(processes, "UPDATE api_keys SET last_used_at = now(), name = 'another'")
    await at_the_database(
        processes,
        "UPDATE sessions SET revoked_at = '2020-01-01' WHERE id = (SELECT max(id) FROM sessions)",
    )
    moved = await processes[0].env.db.fetchval(revision)
    await processes[0].sign_in("ada")  # which forgets the one that ended a year ago

    assert moved == before + 1
    assert await processes[0].env.db.fetchval(revision) == moved
