"""Chats of records: whoever may read the record, for as long as he may."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import pytest
import pytest_asyncio

from app.core.service import AppsCore
from services.chat.app import ChatService
from services.chat.record_watch import LOOK_SECONDS, RecordWatch
from services.partners.models import Partner, PartnerCategory
from services.security.models import Rule
from tests.integration.services.chat.world import (
    ChatApps,
    ChatModels,
    Person,
    Socket,
    at_another_worker,
    by_key,
    newcomer,
)
from tests.support.application import RunningApplication, running_application
from tests.support.costs import statements_of
from tests.support.databases import fresh_database

pytestmark = pytest.mark.asyncio(loop_scope="module")

SOON_SECONDS: Final = 1.0  # within which a right that ended is not honoured any more


class RecordModels(ChatModels):
    """Chats, and something to talk about."""

    partner = Partner
    partner_category = PartnerCategory


class RecordApps(AppsCore):
    """Chats, and something to talk about."""

    installed = (*ChatApps.installed, "services.partners")
    services_before = ChatApps.services_before
    services_after = ChatApps.services_after


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(server_url: str) -> AsyncIterator[RunningApplication]:
    """An application in which a partner is read by its owner, and by everybody while its note says so."""
    domain = [["or", ["owner_id", "=", "{{user_id}}"], ["note", "=", "public"]]]
    async with fresh_database(server_url) as url, application(url) as running:
        with running.env.system():
            await Rule.create(name="partners_read", model="partners", domain=domain, operations=["read"])
        yield running


def application(url: str) -> Any:
    return running_application(url, models=RecordModels, apps=RecordApps)


async def partner(owner: Person, note: str | None = "public") -> int:
    with owner.running.env.system():
        return (await Partner.create(name="ACME", owner_id=owner.id, note=note)).id


async def change(running: RunningApplication, partner_id: int, **values: Any) -> None:
    with running.env.system():
        await (await Partner.get(partner_id)).update(**values)


async def open_chat(who: Person, partner_id: int, *, expect: int = 200) -> dict[str, Any]:
    return await who.post(f"/records/partners/{partner_id}/chat", None, expect=expect)


async def hears_of_his_removal(socket: Socket, chat_id: int, who: Person) -> None:
    async with asyncio.timeout(SOON_SECONDS):
        frame = await socket.hear()
    assert (frame["type"], frame["chat_id"], frame["user_id"]) == ("member_removed", chat_id, who.id)


# -- opening


async def test_the_first_one_makes_the_chat_of_a_record_and_the_others_join(ada: Person, bob: Person) -> None:
    record_id = await partner(ada)
    answer = await ada.client.post(f"/records/partners/{record_id}/chat")
    assert answer.status_code == 201
    made = answer.json()
    assert answer.headers["Location"] == f"/chats/{made['id']}"
    assert (made["chat_type"], made["name"], made["res_model"], made["res_id"]) == (
        "record",
        "ACME",
        "partners",
        record_id,
    )
    assert made["members"][0]["is_admin"] is True
    said = await ada.say(made["id"], "who knows them?")
    joined = await open_chat(bob, record_id)
    assert joined["id"] == made["id"]
    rights = {name for name, value in joined["members"][1].items() if value is True}
    assert rights == {"can_read", "can_write"}
    assert (joined["unread_count"], joined["last_message"]) == (0, said)
    assert await open_chat(bob, record_id) == joined
    assert [event["type"] for event in await ada.events(made["id"], since=1)] == [
        "new_message",
        "member_added",
    ]


async def test_a_chat_that_many_open_at_once_exists_once(running: RunningApplication, ada: Person) -> None:
    record_id = await partner(ada)
    people = [ada, *[await newcomer(running, f"p{number}") for number in range(7)]]
    answers = await asyncio.gather(
        *(who.client.post(f"/records/partners/{record_id}/chat") for who in people * 2)
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 15 + [201]
    chat = await open_chat(ada, record_id)
    assert {answer.json()["id"] for answer in answers} == {chat["id"]}
    assert sorted(member["user_id"] for member in chat["members"]) == sorted(who.id for who in people)


async def test_only_a_record_that_one_may_read_has_a_chat(ada: Person, bob: Person) -> None:
    record_id = await partner(ada, note=None)
    await open_chat(bob, record_id, expect=404)
    await open_chat(ada, record_id, expect=201)
    await open_chat(bob, record_id, expect=404)
    for path in ("partners/1000000", "nothing/1", "chat_events/1", f"partner_s/{record_id}"):
        await ada.post(f"/records/{path}/chat", None, expect=404)
    await ada.post("/records/roles/1/chat", None, expect=403)
    assert (await (await ada.running.client()).post(f"/records/partners/{record_id}/chat")).status_code == 401


async def test_members_of_a_record_chat_come_by_opening_it(ada: Person, bob: Person) -> None:
    chat = await open_chat(ada, await partner(ada), expect=201)
    await ada.post(f"/chats/{chat['id']}/members", {"user_id": bob.id}, expect=409)


async def test_the_chat_stays_when_everybody_has_left_it(ada: Person, bob: Person) -> None:
    record_id = await partner(ada)
    chat = await open_chat(ada, record_id, expect=201)
    said = await ada.say(chat["id"], "a note")
    await ada.post(f"/chats/{chat['id']}/leave", None, expect=204)
    assert (await open_chat(bob, record_id))["last_message"] == said


async def test_a_deleted_record_chat_makes_room_for_another(ada: Person, bob: Person) -> None:
    record_id = await partner(ada)
    first = await open_chat(ada, record_id, expect=201)
    await ada.delete(f"/chats/{first['id']}")
    second = await open_chat(bob, record_id, expect=201)
    assert second["id"] != first["id"]


# -- the end of the right


@pytest.mark.parametrize("end", ["rule", "record"])
async def test_who_loses_the_record_loses_the_chat_everywhere(ada: Person, bob: Person, end: str) -> None:
    record_id = await partner(ada)
    chat_id = (await open_chat(ada, record_id, expect=201))["id"]
    await open_chat(bob, record_id)
    said = await ada.say(chat_id, "a wolverine")
    if end == "rule":
        await change(ada.running, record_id, note=None)
    else:
        with ada.running.env.system():
            await (await Partner.get(record_id)).delete()
    for method, path, body in (
        ("GET", "", None),
        ("GET", "/messages", None),
        ("GET", "/pinned", None),
        ("GET", "/events", None),
        ("GET", f"/messages/{said['id']}/history", None),
        ("POST", "/messages", {"body": "hi"}),
        ("POST", "/read", {"message_id": said["id"]}),
        ("POST", f"/messages/{said['id']}/reactions", {"emoji": "👍"}),
        ("POST", f"/messages/{said['id']}/forward", {"chat_id": await bob.group()}),
    ):
        answer = await bob.client.request(method, f"/chats/{chat_id}{path}", json=body)
        assert answer.status_code == 404, (method, path)
    async with bob.socket() as socket:
        for frame in (
            {"type": "subscribe"},
            {"type": "typing"},
            {"type": "send", "body": "x", "nonce": "n"},
        ):
            error = await socket.answer({"chat_id": chat_id, **frame})
            assert error["problem"]["status"] == 404
    assert (await bob.get("/chats/search?q=wolverine"))["data"] == []
    await bob.get(f"/chats/search?q=wolverine&chat_id={chat_id}", expect=404)
    assert chat_id not in [chat["id"] for chat in (await bob.get("/chats"))["data"]]
    if end == "rule":
        members = (await ada.get(f"/chats/{chat_id}"))["members"]
        assert [member["user_id"] for member in members] == [ada.id]


async def test_a_list_with_record_chats_costs_one_statement_more_for_each_table(
    ada: Person, bob: Person
) -> None:
    for _ in range(3):
        await open_chat(bob, await partner(ada), expect=201)
    assert len((await bob.get("/chats"))["data"]) == 3
    assert await statements_of(lambda: bob.get("/chats")) == 3


async def test_a_socket_hears_of_its_removal_as_soon_as_the_record_is_out_of_sight(
    ada: Person, bob: Person
) -> None:
    record_id = await partner(ada)
    chat_id = (await open_chat(ada, record_id, expect=201))["id"]
    await open_chat(bob, record_id)
    async with bob.listening(chat_id) as his, ada.listening(chat_id) as hers:
        await change(ada.running, record_id, note=None)
        await hears_of_his_removal(his, chat_id, bob)
        await ada.say(chat_id, "now to us")
        await hers.hear_until(lambda frame: frame["type"] == "new_message")
        await his.silence()


async def test_a_socket_that_follows_everything_hears_of_its_removal_too(ada: Person, bob: Person) -> None:
    record_id = await partner(ada)
    async with bob.socket() as his:
        await his.say({"type": "subscribe_all"})
        await his.silence()
        chat_id = (await open_chat(bob, record_id, expect=201))["id"]
        assert (await his.hear())["type"] == "member_added"
        await change(ada.running, record_id, note=None)
        await hears_of_his_removal(his, chat_id, bob)


async def test_a_rule_that_changes_ends_the_chat_at_another_worker_as_well(
    server_url: str,
) -> None:
    async with (
        fresh_database(server_url) as url,
        application(url) as one,
        application(url) as other,
    ):
        ada, bob = await newcomer(one, "ada"), at_another_worker(await newcomer(one, "bob"), other)
        record_id = await partner(ada)
        chat_id = (await open_chat(ada, record_id, expect=201))["id"]
        await open_chat(bob, record_id)
        async with bob.listening(chat_id) as his:
            admin = await one.as_admin()
            rule = {"name": "own", "model": "partners", "domain": [["owner_id", "=", "{{user_id}}"]]}
            answer = await admin.post("/api/rules", json={**rule, "operations": ["read"]})
            assert answer.status_code == 201, answer.text
            await hears_of_his_removal(his, chat_id, bob)
            await ada.say(chat_id, "now to us")
            await his.silence()


async def test_while_nothing_is_written_nothing_is_asked(
    ada: Person, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat_id = (await open_chat(bob, await partner(ada), expect=201))["id"]
    env = ada.running.env
    parts = env.service(ChatService).parts
    watch = RecordWatch(env, parts.realtime.hub, lambda: env.service(ChatService).guard.sessions)
    asked: list[str] = []
    moment = "1:1:"
    run = env.db.run

    async def noted(text: str, values: Any = ()) -> list[Any]:
        asked.append(text)
        # Other tests may write to other databases of the same server meanwhile.
        return [(moment,)] if "pg_current_snapshot" in text else await run(text, values)

    async def questions() -> int:
        asked.clear()
        with env.bind():
            await watch._look()
        return sum('"partners"' in text for text in asked)

    async def rest() -> None:
        """What the watch of the application does meanwhile."""

    async with bob.listening(chat_id):
        monkeypatch.setattr(parts.record_watch, "_look", rest)
        monkeypatch.setattr(env.db, "run", noted)
        assert [await questions() for _ in range(3)] == [1, 0, 0]
        moment = "2:2:"
        assert [await questions() for _ in range(2)] == [1, 0]
        monkeypatch.undo()


async def test_an_api_key_for_chats_reads_those_of_records_without_a_scope_for_the_records(
    ada: Person,
) -> None:
    record_id = await partner(ada)
    chat_id = (await open_chat(ada, record_id, expect=201))["id"]
    said = await ada.say(chat_id)
    robot = await by_key(ada, "chats:read", "records:create")
    assert (await robot.get("/chats"))["data"][0]["id"] == chat_id
    assert (await robot.get(f"/chats/{chat_id}/messages"))["data"] == [said]
    async with robot.listening(chat_id) as socket:
        await change(ada.running, record_id, note="still his")
        said = await ada.say(chat_id)
        assert (await socket.hear())["message"] == said
        await asyncio.sleep(LOOK_SECONDS * 1.5)
        await socket.silence()
    # Opening a chat is asking for the record, though.
    await open_chat(robot, record_id, expect=403)


async def test_chats_of_records_are_not_in_the_generated_api(ada: Person) -> None:
    chat_id = (await open_chat(ada, await partner(ada), expect=201))["id"]
    await ada.say(chat_id, "a wolverine")
    for route in ("chats", "chat_members", "chat_messages"):
        assert (await ada.get(f"/api/{route}"))["data"] == []
