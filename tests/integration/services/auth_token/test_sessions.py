from collections.abc import Awaitable, Callable, Sequence

import httpx
import pytest

from services.auth_token.app import AuthTokenService
from services.users.actions import delete_user, set_password
from tests.support.application import ADMIN, PASSWORD, RunningApplication


async def listed(client: httpx.AsyncClient) -> list[int]:
    answer = await client.get("/sessions")
    assert answer.status_code == 200
    return [session["id"] for session in answer.json()["data"]]


async def statuses(*clients: httpx.AsyncClient) -> list[int]:
    return [(await client.get("/me")).status_code for client in clients]


async def test_sessions_tell_where_one_is_signed_in(identity: RunningApplication) -> None:
    await identity.as_user("ada")
    phone = await identity.as_user("ada")

    (here, there) = (await phone.get("/sessions")).json()["data"]

    assert set(here) == {"id", "created_at", "last_seen_at", "address", "user_agent", "current"}
    assert (here["address"], here["user_agent"]) == ("203.0.113.9", "a test")
    assert (here["current"], there["current"]) == (True, False)
    assert here["created_at"].endswith("Z")


async def test_what_the_client_says_of_itself_is_cut_to_size(identity: RunningApplication) -> None:
    anybody = await identity.client()
    await anybody.post(
        "/signin", json={"login": ADMIN, "password": PASSWORD}, headers={b"User-Agent": b"\xe9" * 5000}
    )

    assert await identity.env.db.fetchval("SELECT length(user_agent) FROM sessions") == 255


async def test_logout_ends_this_session_and_no_other(identity: RunningApplication) -> None:
    here, there = await identity.as_user("ada"), await identity.as_user("ada")

    answer = await here.post("/logout")

    assert (answer.status_code, answer.content) == (204, b"")
    assert await statuses(here, there) == [401, 200]
    assert len(await listed(there)) == 1


async def test_one_session_is_ended_from_another(identity: RunningApplication) -> None:
    here, there = await identity.as_user("ada"), await identity.as_user("ada")
    (id_here, id_there) = sorted(await listed(here))

    answer = await here.delete(f"/sessions/{id_there}")

    assert answer.status_code == 204
    assert await statuses(here, there) == [200, 401]
    assert await listed(here) == [id_here]


async def test_a_session_that_is_not_there_is_404(identity: RunningApplication) -> None:
    ada = await identity.as_user("ada")

    for number in ("0", "999", str(2**63 - 1), str(2**63), "-1", "x"):
        assert (await ada.delete(f"/sessions/{number}")).status_code == 404


async def test_the_session_of_somebody_else_is_404_and_goes_on(identity: RunningApplication) -> None:
    admin, ada = await identity.as_admin(), await identity.as_user("ada")
    (id_of_ada,) = await listed(ada)

    assert (await admin.delete(f"/sessions/{id_of_ada}")).status_code == 404
    assert await statuses(ada) == [200]


async def test_a_session_is_ended_once(identity: RunningApplication) -> None:
    here, _ = await identity.as_user("ada"), await identity.as_user("ada")
    (_, other) = sorted(await listed(here))

    assert (await here.delete(f"/sessions/{other}")).status_code == 204
    assert (await here.delete(f"/sessions/{other}")).status_code == 404


@pytest.mark.parametrize(
    ("query", "left"),
    [("", [401, 401]), ("?keep_current=false", [401, 401]), ("?keep_current=true", [200, 401])],
)
async def test_all_sessions_end_this_one_included_unless_it_is_kept(
    identity: RunningApplication, query: str, left: list[int]
) -> None:
    here, there = await identity.as_user("ada"), await identity.as_user("ada")
    somebody_else = await identity.as_admin()

    answer = await here.post(f"/sessions/terminate_all{query}")

    assert answer.status_code == 204
    assert await statuses(here, there) == left
    assert await statuses(somebody_else) == [200]


async def test_a_wrong_parameter_ends_nothing(identity: RunningApplication) -> None:
    ada = await identity.as_user("ada")

    for query in ("keep_current=perhaps", "keep=true"):
        assert (await ada.post(f"/sessions/terminate_all?{query}")).status_code == 422
    assert await statuses(ada) == [200]


async def test_sessions_that_ended_long_ago_are_forgotten_at_the_next_sign_in(
    identity: RunningApplication,
) -> None:
    await identity.as_user("ada")
    await (await identity.as_user("ada")).post("/logout")
    await identity.env.db.fetch(
        "UPDATE sessions SET expires_at = expires_at - interval '60 days', "
        "revoked_at = revoked_at - interval '60 days'"
    )

    await identity.as_user("ada")

    assert await identity.env.db.fetchval("SELECT count(*) FROM sessions") == 1
    assert await identity.env.db.fetchval("SELECT count(*) FROM refresh_tokens") == 1


async def test_a_new_password_ends_all_other_sessions(identity: RunningApplication) -> None:
    here, there = await identity.as_user("ada"), await identity.as_user("ada")

    answer = await here.post("/me/password", json={"old": PASSWORD, "new": "another password"})

    assert answer.status_code == 204
    assert await statuses(here, there) == [200, 401]
    assert len(await listed(here)) == 1
    anybody = await identity.client()
    for password, status in ((PASSWORD, 401), ("another password", 200)):
        tried = await anybody.post("/signin", json={"login": "ada", "password": password})
        assert tried.status_code == status


async def test_a_password_change_that_cannot_be_says_where_and_changes_nothing(
    identity: RunningApplication,
) -> None:
    here, there = await identity.as_user("ada"), await identity.as_user("ada")

    for old, new, pointer in (
        ("wrong password", "another password", "/old"),
        (PASSWORD, "short", "/new"),
        (PASSWORD, "x" * 129, "/new"),
        (PASSWORD, "password123", "/new"),
        (PASSWORD, "adaadaadaada", "/new"),
    ):
        answer = await here.post("/me/password", json={"old": old, "new": new})
        assert answer.status_code == 422
        assert [place["pointer"] for place in answer.json()["errors"]] == [pointer]

    assert await statuses(here, there) == [200, 200]


def just_before_a_session_is_opened(
    running: RunningApplication, monkeypatch: pytest.MonkeyPatch, act: Callable[[], Awaitable[object]]
) -> None:
    """Let `act` happen between the verification of the next sign-in's password and its session."""
    run = running.env.db.run

    async def act_first(text: str, values: Sequence[object] = ()) -> list[object]:
        if "INSERT INTO sessions" in text:
            monkeypatch.undo()
            with running.env.system():
                await act()
        return await run(text, values)

    monkeypatch.setattr(running.env.db, "run", act_first)


async def test_a_session_opened_while_the_password_changed_is_over_at_once(
    identity: RunningApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await identity.as_user("ada")
    user_id = (await ada.get("/me")).json()["id"]
    just_before_a_session_is_opened(identity, monkeypatch, lambda: set_password(user_id, "another password"))

    late = await identity.sign_in("ada")

    assert await statuses(await identity.client(token=late["access_token"])) == [401]


async def test_a_user_who_is_removed_while_he_signs_in_is_refused_like_anybody(
    identity: RunningApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await identity.as_user("ada")
    user_id = (await ada.get("/me")).json()["id"]
    just_before_a_session_is_opened(identity, monkeypatch, lambda: delete_user(user_id))

    anybody = await identity.client()
    answer = await anybody.post("/signin", json={"login": "ada", "password": PASSWORD})

    assert answer.status_code == 401
    assert answer.json()["detail"] == "The login or the password is wrong."


async def test_sessions_that_ended_a_week_ago_are_forgotten_and_nobody_notices(
    identity: RunningApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.auth_token.app.FORGOTTEN_AT_ONCE", 2)
    clients = [await identity.as_user("ada") for _ in range(6)]
    first, *ended, live = await listed(clients[0])
    db = identity.env.db
    for days, some in ((8, ended), (6, [first])):
        sql = "UPDATE sessions SET revoked_at = now() - make_interval(days => $2) WHERE id = ANY($1)"
        await db.run(sql, [some, days])
    before = await db.fetchval("SELECT revision FROM access_revisions")
    (job,) = identity.env.service(AuthTokenService).jobs()

    assert await job.work() == len(ended)

    assert await db.fetchval("SELECT array_agg(id ORDER BY id) FROM sessions") == sorted([first, live])
    assert await db.fetchval("SELECT revision FROM access_revisions") == before
