"""Idempotency-Key on real tables: both the write and its answer, or neither."""

import asyncio
import random
from typing import Any

import httpx
import pytest

from services.dotorm_crud_auto.kept_answers import KeptAnswers
from tests.integration.services.dotorm_crud_auto.world import Gate, Note, Workers

pytestmark = pytest.mark.asyncio(loop_scope="module")

REPLAYED = "idempotency-replayed"


async def post(
    client: httpx.AsyncClient, key: str, body: Any = None, path: str = "/api/notes"
) -> httpx.Response:
    """The answer to a note with a key."""
    return await client.post(path, json=body or {"name": key}, headers={"Idempotency-Key": key})


async def test_any_worker_repeats_what_one_has_answered(workers: Workers) -> None:
    one, other = workers.clients
    first, again = await post(one, "k1"), await post(other, "k1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert (first.content, REPLAYED in first.headers) == (again.content, False)
    assert again.headers[REPLAYED] == "true"
    for name in ("location", "etag", "content-type", "content-length"):
        assert again.headers[name] == first.headers[name]
    assert again.headers["x-request-id"] != first.headers["x-request-id"]
    assert await workers.count("notes") == await workers.count("idempotency_keys") == 1


async def test_changes_deletions_and_bulk_writes_are_repeated_too(workers: Workers) -> None:
    one, other = workers.clients
    for name in ("a", "b", "c"):
        await post(one, name)
    requests: list[tuple[str, str, Any]] = [
        ("PATCH", "/api/notes/1", {"name": "x"}),
        ("DELETE", "/api/notes/2", None),
        ("PATCH", "/api/notes", {"all": True, "values": {"name": "y"}}),
        ("POST", "/api/notes/delete", {"all": True}),
        ("POST", "/api/notes", [{"name": "d"}, {"name": "e"}]),
        ("POST", "/api/notes/search", {"filter": []}),
    ]
    for number, (method, path, body) in enumerate(requests):
        headers = {"Idempotency-Key": f"k{number}"}
        answers = [
            await client.request(method, path, json=body, headers=headers) for client in (one, other, one)
        ]
        assert len({(answer.status_code, answer.content) for answer in answers}) == 1
        assert [REPLAYED in answer.headers for answer in answers] == [False, True, True]
    assert await workers.count("notes") == 2


async def test_a_hand_written_route_is_repeated_too(workers: Workers) -> None:
    body = {"login": "bob", "name": "Bob", "password": "a long enough password"}
    answers = [await post(client, "k1", body, "/api/users") for client in workers.clients]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()


async def test_a_key_is_for_one_body(workers: Workers) -> None:
    one, other = workers.clients
    await post(one, "k1")
    refused = await post(other, "k1", {"name": "another"})
    assert (refused.status_code, refused.json()["type"]) == (422, "urn:starling:invalid")
    assert refused.json()["errors"][0]["pointer"] == "/headers/Idempotency-Key"
    assert (await post(one, "")).status_code == 422
    assert (await post(one, "x" * 256)).status_code == 422
    assert await workers.count("notes") == 1


async def test_a_key_belongs_to_its_user(workers: Workers) -> None:
    admin = workers.clients[0]
    other = await workers.running[1].as_user("cyd", is_admin=True)
    assert (await post(admin, "k1")).json()["id"] == 1
    assert (await post(other, "k1")).json()["id"] == 2
    anonymous = await workers.running[0].client()
    assert (await post(anonymous, "k1")).status_code == 401


async def test_a_refusal_is_not_kept(workers: Workers) -> None:
    one, other = workers.clients
    await post(one, "k0", {"name": "a", "code": "taken"})
    refused = await post(one, "k1", {"name": "b", "code": "taken"})
    assert refused.status_code == 409
    await one.delete("/api/notes/1")
    assert (await post(other, "k1", {"name": "b", "code": "taken"})).status_code == 201
    for body in ({"name": ""}, {"name": 1}, {"colour": 1}):
        assert (await post(one, "k2", body)).status_code in (201, 422)
    assert (await one.post("/api/unknown", headers={"Idempotency-Key": "k3"})).status_code == 404


async def test_a_second_request_does_not_wait_for_the_first(workers: Workers) -> None:
    one, other = workers.clients
    Note.gate = gate = Gate()
    gate.close()
    first = asyncio.create_task(post(one, "k1"))
    await gate.arrived.wait()
    refused = await post(other, "k1")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (409, "in_flight")
    assert await workers.count("notes") == 0  # nothing is seen of it yet
    gate.is_open.set()
    assert (await first).status_code == 201
    assert (await post(other, "k1")).headers[REPLAYED] == "true"


async def test_a_request_that_is_cut_off_leaves_nothing(workers: Workers) -> None:
    one, other = workers.clients
    Note.gate = gate = Gate()
    gate.close()
    first = asyncio.create_task(post(one, "k1"))
    await gate.arrived.wait()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    gate.is_open.set()
    assert await workers.count("notes") == await workers.count("idempotency_keys") == 0
    again = await post(other, "k1")
    assert (again.status_code, REPLAYED in again.headers) == (201, False)


async def test_a_connection_that_dies_before_the_commit_leaves_nothing(workers: Workers) -> None:
    one, other = workers.clients
    Note.gate = gate = Gate()
    gate.close()
    first = asyncio.create_task(post(one, "k1"))
    await gate.arrived.wait()
    await workers.running[1].env.db.fetch(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND state = 'idle in transaction'"
    )
    gate.is_open.set()
    assert (await first).status_code == 503
    assert await workers.count("notes") == await workers.count("idempotency_keys") == 0
    assert (await post(other, "k1")).status_code == 201


async def test_old_answers_are_forgotten_in_passing(workers: Workers) -> None:
    one, other = workers.clients
    for number in range(30):
        await post(one, f"k{number}")
    db = workers.running[0].env.db
    await db.execute("UPDATE idempotency_keys SET created_at = now() - interval '25 hours'")
    again = await post(other, "k1")
    assert (again.status_code, REPLAYED in again.headers) == (201, False)
    assert await workers.count("idempotency_keys") == 10  # twenty at a time
    assert (await post(one, "k1")).headers[REPLAYED] == "true"
    await KeptAnswers(lambda: db).forget_old_ones()
    assert await workers.count("idempotency_keys") == 1
    assert await workers.count("notes") == 31


async def test_what_is_kept_tells_nothing_of_user_path_or_key(workers: Workers) -> None:
    await post(workers.clients[0], "a-secret-key")
    [row] = await workers.running[0].env.db.fetch("SELECT * FROM idempotency_keys")
    assert b"a-secret-key" not in b"".join(
        value for value in row.values() if isinstance(value, bytes)
    ).replace(row["body"], b"")


async def test_many_keys_sent_several_times_at_once_make_one_row_each(workers: Workers) -> None:
    keys = [f"key-{number}" for number in range(150)]
    orders = [(key, client) for key in keys for client in (*workers.clients, workers.clients[0])]
    random.Random(7).shuffle(orders)
    limit = asyncio.Semaphore(12)

    async def send(key: str, client: httpx.AsyncClient) -> tuple[str, bytes]:
        async with limit:
            for _ in range(100):
                answer = await post(client, key)
                if answer.status_code == 201:
                    return key, answer.content
                assert answer.status_code in (409, 503), answer.text
                await asyncio.sleep(0.01)
        raise AssertionError(f"{key} was never answered")

    answers = await asyncio.gather(*(send(key, client) for key, client in orders))
    assert len(set(answers)) == len(keys)  # three equal answers to each key
    assert await workers.count("notes") == await workers.count("idempotency_keys") == len(keys)
