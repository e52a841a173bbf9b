"""Who may do what: members, members without the right, and strangers."""

from typing import Any

import pytest

from orm import AccessDenied, RecordNotFound
from services.chat.models import Chat, ChatMember
from services.chat.rules import Right, Rights
from tests.integration.services.chat.world import Person

pytestmark = pytest.mark.asyncio(loop_scope="module")

COLUMNS = ("stranger", "member", "reader", "creator", "muted", "archived")


# Method, path below the chat, body; what a member of a group, of a channel, the creator of a group, a member
# who may neither read nor write, and the creator of an archived group get.
ROUTES = [
    ("GET", "", None, 200, 200, 200, 200, 200),
    ("PATCH", "", {"name": "x"}, 403, 403, 200, 403, 409),
    ("DELETE", "", None, 403, 403, 204, 403, 204),
    ("POST", "/pin", {"pinned": True}, 200, 200, 200, 200, 200),
    ("GET", "/messages", None, 200, 200, 200, 403, 200),
    ("GET", "/pinned", None, 200, 200, 200, 403, 200),
    ("GET", "/events", None, 200, 200, 200, 403, 200),
    ("POST", "/messages", {"body": "hi"}, 201, 403, 201, 403, 409),
    ("POST", "/read", {"message_id": "{message}"}, 204, 204, 204, 403, 204),
    ("PATCH", "/messages/{message}", {"body": "hi"}, 403, 403, 200, 403, 409),
    ("DELETE", "/messages/{message}", None, 403, 403, 204, 403, 409),
    ("GET", "/messages/{message}/history", None, 200, 200, 200, 403, 200),
    ("POST", "/messages/{message}/pin", {"pinned": True}, 403, 403, 200, 403, 409),
    ("POST", "/messages/{message}/reactions", {"emoji": "👍"}, 200, 200, 200, 403, 409),
    ("POST", "/messages/{message}/forward", {"chat_id": "{own}"}, 201, 201, 201, 403, 201),
    ("POST", "/members", {"user_id": "{other}"}, 403, 403, 201, 403, 409),
    ("PATCH", "/members/{creator}", {"can_pin": False}, 403, 403, 200, 403, 409),
    ("DELETE", "/members/{creator}", None, 403, 403, 409, 403, 409),
    ("POST", "/leave", None, 204, 204, 204, 204, 409),  # by then the creator is the last one in the group
]

FRAMES = [
    ({"type": "subscribe"}, 200, 200, 200, 403, 200),
    ({"type": "send", "body": "hi", "nonce": "n"}, 200, 403, 200, 403, 409),
    ({"type": "read", "message_id": "{message}"}, 200, 200, 200, 403, 200),
    ({"type": "typing"}, 200, 403, 200, 403, 409),
]


class Case:
    """Somebody, a chat, and what stands for what in paths and bodies."""

    def __init__(self, who: Person, chat_id: int, **ids: int) -> None:
        self.who = who
        self.chat_id = chat_id
        self._ids = ids

    def put_in(self, body: Any) -> Any:
        """The body with ids in their places."""
        if isinstance(body, dict):
            return {name: self.put_in(value) for name, value in body.items()}
        return self._ids[body[1:-1]] if isinstance(body, str) and body.startswith("{") else body

    async def status(self, method: str, path: str, body: Any) -> int:
        """What the route answers."""
        answer = await self.who.client.request(
            method, f"/chats/{self.chat_id}{path.format(**self._ids)}", json=self.put_in(body)
        )
        return answer.status_code

    async def status_of_search(self) -> int:
        """What a search in the chat answers."""
        answer = await self.who.client.get(f"/chats/search?q=hello&chat_id={self.chat_id}")
        return answer.status_code

    async def problem(self, method: str, path: str, body: Any) -> Any:
        """The problem that the route answers, None when it answers none."""
        answer = await self.who.client.request(method, f"/chats/{self.chat_id}{path}", json=self.put_in(body))
        return None if answer.is_success else _without_instance(answer.json())

    async def status_of_frame(self, frame: Any) -> int:
        """What the socket answers: the status of the error, 200 when there is none."""
        problem = await self.problem_of_frame(frame)
        return 200 if problem is None else int(problem["status"])

    async def problem_of_frame(self, frame: Any) -> Any:
        """The problem that the socket answers, None when it answers none."""
        async with self.who.socket() as socket:
            await socket.say({"chat_id": self.chat_id, "ref": "r"} | self.put_in(frame))
            await socket.say({"type": "ping", "ref": "p"})
            heard = await socket.hear_until(lambda one: one["type"] == "pong")
        problems = (one["problem"] for one in heard if one["type"] == "error")
        return next(map(_without_instance, problems), None)


def _without_instance(problem: dict[str, Any]) -> dict[str, Any]:
    """A problem but for the request that it is about."""
    return {name: value for name, value in problem.items() if name != "instance"}


async def cases(ada: Person, bob: Person, eve: Person) -> dict[str, Case]:
    """One for each column of the tables, the stranger first."""
    chats = {"group": await ada.group(bob), "channel": await ada.group(bob, chat_type="channel")}
    chats |= {"muted": await ada.group(bob), "archived": await ada.group(bob)}
    said = {name: (await ada.say(chat_id))["id"] for name, chat_id in chats.items()}
    await ada.patch(f"/chats/{chats['muted']}/members/{bob.id}", {"can_read": False, "can_write": False})
    await ada.patch(f"/chats/{chats['archived']}", {"archived": True})
    own = {who: await who.group() for who in (ada, bob, eve)}

    def case(who: Person, name: str) -> Case:
        return Case(who, chats[name], message=said[name], other=eve.id, creator=ada.id, own=own[who])

    return {
        "stranger": case(eve, "group"),
        "member": case(bob, "group"),
        "reader": case(bob, "channel"),
        "creator": case(ada, "group"),
        "muted": case(bob, "muted"),
        "archived": case(ada, "archived"),
    }


@pytest.mark.parametrize("row", ROUTES, ids=lambda row: f"{row[0]} {row[1]}")
async def test_each_route_answers_by_what_the_asker_may_do(
    ada: Person, bob: Person, eve: Person, row: tuple[Any, ...]
) -> None:
    method, path, body, *expected = row
    found = await cases(ada, bob, eve)
    nobody = await ada.running.client()
    call = f"/chats/{found['member'].chat_id}{path.format(message=1, creator=1)}"
    assert (await nobody.request(method, call, json=body)).status_code == 401
    answered = {name: await case.status(method, path, body) for name, case in found.items()}
    assert answered == dict(zip(COLUMNS, [404, *expected], strict=True))


@pytest.mark.parametrize("row", FRAMES, ids=lambda row: row[0]["type"])
async def test_each_frame_is_answered_by_what_the_user_may_do(
    ada: Person, bob: Person, eve: Person, row: tuple[Any, ...]
) -> None:
    frame, *expected = row
    found = await cases(ada, bob, eve)
    answered = {name: await case.status_of_frame(frame) for name, case in found.items()}
    assert answered == dict(zip(COLUMNS, [404, *expected], strict=True))


# Of each frame the route that does the same.
ALIKE = [
    ({"type": "send", "body": "hi", "nonce": "n"}, "POST", "/messages", {"body": "hi"}),
    ({"type": "read", "message_id": "{message}"}, "POST", "/read", {"message_id": "{message}"}),
    ({"type": "subscribe"}, "GET", "/events", None),
]


@pytest.mark.parametrize("row", ALIKE, ids=lambda row: row[0]["type"])
async def test_the_socket_denies_in_the_same_words_as_http(
    ada: Person, bob: Person, eve: Person, row: tuple[Any, ...]
) -> None:
    frame, method, path, body = row
    found = await cases(ada, bob, eve)
    await ada.delete(f"/chats/{found['member'].chat_id}/members/{bob.id}")
    denied = 0
    for case in found.values():
        over_http, on_the_socket = await case.problem(method, path, body), await case.problem_of_frame(frame)
        assert over_http == on_the_socket
        denied += over_http is not None
    assert denied >= 3


async def test_a_search_in_a_chat_answers_by_what_the_asker_may_do(
    ada: Person, bob: Person, eve: Person
) -> None:
    found = await cases(ada, bob, eve)
    answered = {name: await case.status_of_search() for name, case in found.items()}
    assert answered == dict(zip(COLUMNS, [404, 200, 200, 200, 403, 200], strict=True))
    case = found["member"]
    await ada.delete(f"/chats/{case.chat_id}/members/{bob.id}")
    assert await case.status_of_search() == 404


async def test_one_who_was_removed_is_a_stranger(ada: Person, bob: Person, eve: Person) -> None:
    case = (await cases(ada, bob, eve))["member"]
    await ada.delete(f"/chats/{case.chat_id}/members/{bob.id}")
    assert {await case.status(*row[:3]) for row in ROUTES} == {404}
    assert {await case.status_of_frame(row[0]) for row in FRAMES} == {404}


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
