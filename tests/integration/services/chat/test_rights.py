"""Who may do what: members, members without the right, and strangers."""

from typing import Any

import pytest

from orm import AccessDenied, RecordNotFound
from services.chat.models import Chat, ChatMember
from services.chat.rules import Right, Rights
from tests.integration.services.chat.world import Person

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Method, path below the chat, body; and what a member of a group, of a channel, and the creator get.
ROUTES = [
    ("GET", "", None, 200, 200, 200),
    ("GET", "/messages", None, 200, 200, 200),
    ("GET", "/pinned", None, 200, 200, 200),
    ("GET", "/events", None, 200, 200, 200),
    ("POST", "/messages", {"body": "hi"}, 201, 403, 201),
    ("POST", "/messages/{message}/pin", {"pinned": True}, 403, 403, 200),
    ("POST", "/read", {"message_id": "{message}"}, 204, 204, 204),
    ("POST", "/members", {"user_id": "{other}"}, 403, 403, 201),
]


async def status(who: Person, chat_id: int, method: str, path: str, body: Any, **ids: int) -> int:
    def put_in(value: Any) -> Any:
        return ids[value[1:-1]] if isinstance(value, str) and value.startswith("{") else value

    sent = body and {name: put_in(value) for name, value in body.items()}
    answer = await who.client.request(method, f"/chats/{chat_id}{path.format(**ids)}", json=sent)
    return answer.status_code


@pytest.mark.parametrize(("method", "path", "body", "member", "reader", "creator"), ROUTES)
async def test_each_route_answers_by_what_the_asker_may_do(
    ada: Person,
    bob: Person,
    eve: Person,
    *,
    method: str,
    path: str,
    body: Any,
    member: int,
    reader: int,
    creator: int,
) -> None:
    group, channel = await ada.group(bob), await ada.group(bob, chat_type="channel")
    said = [(await ada.say(chat_id))["id"] for chat_id in (group, channel)]
    nobody = await ada.running.client()
    call = f"/chats/{group}{path.format(message=said[0])}"
    assert (await nobody.request(method, call, json=body)).status_code == 401
    ids = {"other": eve.id}
    assert await status(eve, group, method, path, body, message=said[0], **ids) == 404
    assert await status(bob, group, method, path, body, message=said[0], **ids) == member
    assert await status(bob, channel, method, path, body, message=said[1], **ids) == reader
    assert await status(ada, group, method, path, body, message=said[0], **ids) == creator


@pytest.mark.parametrize("right", [name for name in Rights.__struct_fields__ if name != "is_admin"])
async def test_a_check_answers_the_member_or_raises(
    ada: Person, bob: Person, eve: Person, right: Right
) -> None:
    chat_id = await ada.group(bob)
    check = getattr(ChatMember, f"check_{right}")
    env = ada.running.env
    with env.bind():
        assert (await check(chat_id, ada.id)).user_id.id == ada.id
        with pytest.raises(RecordNotFound):
            await check(chat_id, eve.id)
        with pytest.raises(RecordNotFound):
            await check(chat_id + 1000, ada.id)
    await rights(ada, chat_id, bob, **{right: False})
    with env.bind(), pytest.raises(AccessDenied):
        await check(chat_id, bob.id)
    await rights(ada, chat_id, bob, **{right: True})
    with env.bind():
        assert (await check(chat_id, bob.id)).user_id.id == bob.id


async def rights(who: Person, chat_id: int, member: Person, **values: bool) -> None:
    with who.running.env.system():
        found = await ChatMember.check_member(chat_id, member.id)
        await found.update(**values)


async def test_an_administrator_of_a_chat_holds_every_right(ada: Person, bob: Person) -> None:
    chat_id = await ada.group(bob, chat_type="channel")
    await bob.post(f"/chats/{chat_id}/messages", {"body": "hi"}, expect=403)
    await rights(ada, chat_id, bob, is_admin=True)
    said = await bob.say(chat_id)
    await bob.post(f"/chats/{chat_id}/messages/{said['id']}/pin", {"pinned": True}, expect=200)
    with ada.running.env.bind():
        assert (await ChatMember.check_is_admin(chat_id, bob.id)).is_admin


async def test_an_administrator_of_the_system_is_a_stranger_in_a_chat_of_others(ada: Person) -> None:
    chat_id = await ada.group()
    admin = await ada.running.as_admin()
    assert (await admin.get(f"/chats/{chat_id}")).status_code == 404


async def test_a_member_who_may_not_read_sees_the_chat_and_nothing_that_is_said(
    ada: Person, bob: Person
) -> None:
    chat_id = await ada.group(bob)
    said = await ada.say(chat_id)
    await rights(ada, chat_id, bob, can_read=False)
    chat = await bob.get(f"/chats/{chat_id}")
    assert (chat["last_message"], chat["unread_count"]) == (None, 0)
    for path in ("messages", "pinned", "events"):
        await bob.get(f"/chats/{chat_id}/{path}", expect=403)
    await bob.post(f"/chats/{chat_id}/read", {"message_id": said["id"]}, expect=403)


async def test_an_archived_chat_can_be_read_and_not_changed(ada: Person, bob: Person) -> None:
    chat_id = await ada.group()
    said = await ada.post(f"/chats/{chat_id}/messages", {"body": "hi", "nonce": "n"}, expect=201)
    with ada.running.env.system():
        await (await Chat.get(chat_id)).update(archived=True)
    await ada.post(f"/chats/{chat_id}/messages", {"body": "hi"}, expect=409)
    await ada.post(f"/chats/{chat_id}/messages/{said['id']}/pin", {"pinned": True}, expect=409)
    await ada.post(f"/chats/{chat_id}/members", {"user_id": bob.id}, expect=409)
    assert (await ada.get(f"/chats/{chat_id}/messages"))["data"] == [said]
    # A client that does not know whether its message arrived is still told.
    await ada.post(f"/chats/{chat_id}/messages", {"body": "hi", "nonce": "n"}, expect=200)


async def test_a_new_member_has_the_rights_of_the_type_and_nothing_to_catch_up_with(
    ada: Person, bob: Person
) -> None:
    chat_id = await ada.group()
    said = await ada.say(chat_id)
    member = await ada.post(f"/chats/{chat_id}/members", {"user_id": bob.id}, expect=201)
    assert member == {
        "user_id": bob.id,
        "name": bob.name,
        "is_admin": False,
        "can_read": True,
        "can_write": True,
        "can_pin": False,
        "can_invite": False,
        "can_delete_others": False,
        "last_read_message_id": said["id"],
        "joined_at": member["joined_at"],
    }
    chat = await bob.get(f"/chats/{chat_id}")
    assert chat["members"][1] == member
    assert chat["unread_count"] == 0
    (event,) = (await bob.get(f"/chats/{chat_id}/events?since=2"))["data"]
    assert event == {
        "type": "member_added",
        "chat_id": chat_id,
        "seq": 3,
        "at": member["joined_at"],
        "member": member,
    }


async def test_members_are_added_once_and_never_to_a_direct_chat(
    ada: Person, bob: Person, eve: Person
) -> None:
    group = await ada.group(bob)
    direct = await ada.post("/chats", {"user_ids": [bob.id]}, expect=201)
    await ada.post(f"/chats/{group}/members", {"user_id": bob.id}, expect=409)
    await ada.post(f"/chats/{direct['id']}/members", {"user_id": eve.id}, expect=409)
    problem = await ada.post(f"/chats/{group}/members", {"user_id": 1_000_000}, expect=422)
    assert problem["errors"][0]["pointer"] == "/user_id"
    assert (await ada.get(f"/chats/{group}"))["last_seq"] == 2


async def test_a_user_who_was_disabled_can_not_be_added(ada: Person, bob: Person) -> None:
    await ada.running.env.db.fetch("UPDATE users SET active = false WHERE id = $1", bob.id)
    await ada.post("/chats", {"user_ids": [bob.id]}, expect=422)
    chat_id = await ada.group()
    await ada.post(f"/chats/{chat_id}/members", {"user_id": bob.id}, expect=422)
