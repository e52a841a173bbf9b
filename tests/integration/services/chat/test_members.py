"""Members: their rights, removing them, leaving, and what all of it does to sockets."""

import asyncio

import pytest

from tests.integration.services.chat.world import Person

pytestmark = pytest.mark.asyncio(loop_scope="module")


# -- rights


async def test_rights_are_changed_one_by_one_and_told(ada: Person, bob: Person) -> None:
    chat_id = await ada.group(bob)
    before = (await ada.get(f"/chats/{chat_id}"))["members"][1]
    member = await ada.patch(f"/chats/{chat_id}/members/{bob.id}", {"can_pin": True, "can_write": False})
    assert member == before | {"can_pin": True, "can_write": False}
    assert (await bob.get(f"/chats/{chat_id}"))["members"][1] == member
    (event,) = await bob.events(chat_id, since=2)
    assert event == {
        "type": "member_updated",
        "chat_id": chat_id,
        "seq": 3,
        "at": event["at"],
        "member": member,
    }
    assert await ada.patch(f"/chats/{chat_id}/members/{bob.id}", {"can_pin": True}) == member
    assert len(await bob.events(chat_id, since=2)) == 1


async def test_rights_of_one_who_is_no_member_cannot_be_changed(ada: Person, eve: Person) -> None:
    chat_id = await ada.group()
    for user_id in (eve.id, 1_000_000):
        await ada.patch(f"/chats/{chat_id}/members/{user_id}", {"can_pin": True}, expect=404)
        await ada.delete(f"/chats/{chat_id}/members/{user_id}", expect=404)


@pytest.mark.parametrize("body", [{"can_fly": True}, {"can_pin": "yes"}, {"can_pin": None}])
async def test_rights_that_cannot_be_are_refused_by_pointer(ada: Person, bob: Person, body: object) -> None:
    chat_id = await ada.group(bob)
    problem = await ada.patch(f"/chats/{chat_id}/members/{bob.id}", body, expect=422)
    assert problem["errors"][0]["pointer"].startswith("/can_")


async def test_a_chat_keeps_an_administrator(ada: Person, bob: Person) -> None:
    chat_id = await ada.group(bob)
    path = f"/chats/{chat_id}/members/{ada.id}"
    await ada.patch(path, {"is_admin": False}, expect=409)
    await ada.delete(path, expect=409)
    await ada.post(f"/chats/{chat_id}/leave", None, expect=409)
    assert (await ada.get(f"/chats/{chat_id}"))["last_seq"] == 2
    await ada.patch(f"/chats/{chat_id}/members/{bob.id}", {"is_admin": True})
    await ada.post(f"/chats/{chat_id}/leave", None, expect=204)
    await bob.post(f"/chats/{chat_id}/leave", None, expect=204)


async def test_of_two_last_administrators_who_leave_at_once_one_stays(ada: Person, bob: Person) -> None:
    eve_less = [await ada.group(bob) for _ in range(4)]
    for chat_id in eve_less:
        await ada.patch(f"/chats/{chat_id}/members/{bob.id}", {"is_admin": True})
        demoted = await asyncio.gather(
            *(
                who.client.patch(f"/chats/{chat_id}/members/{who.id}", json={"is_admin": False})
                for who in (ada, bob)
            )
        )
        assert sorted(answer.status_code for answer in demoted) == [200, 409]


# -- removing and leaving


async def test_a_removed_member_hears_of_it_last(ada: Person, bob: Person) -> None:
    chat_id = await ada.group(bob)
    async with bob.listening(chat_id) as his, bob.socket() as other, ada.listening(chat_id) as hers:
        await ada.say(chat_id)
        await ada.delete(f"/chats/{chat_id}/members/{bob.id}")
        await ada.say(chat_id)
        assert (await his.hear())["type"] == "new_message"
        removed = await his.hear()
        assert removed == {
            "type": "member_removed",
            "chat_id": chat_id,
            "seq": 4,
            "at": removed["at"],
            "user_id": bob.id,
        }
        assert [(await hers.hear())["seq"] for _ in range(3)] == [3, 4, 5]
        await his.silence()
        await other.silence()
        assert (await his.answer({"type": "typing", "chat_id": chat_id}))["problem"]["status"] == 404
    await bob.get(f"/chats/{chat_id}", expect=404)
    assert chat_id not in [chat["id"] for chat in (await bob.get("/chats"))["data"]]
    assert len((await ada.get(f"/chats/{chat_id}"))["members"]) == 1


async def test_a_member_who_is_removed_while_others_talk_hears_nothing_after_it(
    ada: Person, bob: Person, eve: Person
) -> None:
    chat_id = await ada.group(bob, eve)
    is_over = asyncio.Event()

    async def talk(who: Person) -> None:
        while not is_over.is_set():
            await who.say(chat_id)

    async with bob.listening(chat_id) as his, bob.socket() as following:
        await following.say({"type": "subscribe_all", "since": {str(chat_id): 3}})
        talking = [asyncio.create_task(talk(who)) for who in (ada, eve)]
        for _ in range(20):
            await his.hear()
        await ada.delete(f"/chats/{chat_id}/members/{bob.id}")
        ends = []
        for socket in (his, following):
            heard = await socket.hear_until(lambda frame: frame["type"] == "member_removed")
            events = [frame for frame in heard if frame.get("chat_id") == chat_id and "at" in frame]
            seqs = [event["seq"] for event in events]
            assert seqs == list(range(seqs[0], seqs[-1] + 1))
            assert heard[-1]["user_id"] == bob.id
            ends.append(seqs[-1])
        await ada.say(chat_id)
        is_over.set()
        await asyncio.gather(*talking)
        assert ends[0] == ends[1] < (await ada.get(f"/chats/{chat_id}"))["last_seq"]
        await his.silence()
        await following.silence()


async def test_leaving_is_told_to_those_who_stay(ada: Person, bob: Person) -> None:
    chat_id = await ada.group(bob)
    await bob.post(f"/chats/{chat_id}/leave", None, expect=204)
    (event,) = await ada.events(chat_id, since=2)
    assert (event["type"], event["user_id"]) == ("member_removed", bob.id)
    await bob.post(f"/chats/{chat_id}/leave", None, expect=404)


async def test_who_comes_back_has_nothing_to_catch_up_with_and_hears_again(ada: Person, bob: Person) -> None:
    chat_id = await ada.group(bob)
    async with bob.socket() as socket:
        await socket.say({"type": "subscribe_all"})
        await socket.hear_until(lambda frame: frame.get("chat_id") == chat_id)
        await ada.delete(f"/chats/{chat_id}/members/{bob.id}")
        assert (await socket.hear())["type"] == "member_removed"
        await ada.say(chat_id, "not for him")
        member = await ada.post(f"/chats/{chat_id}/members", {"user_id": bob.id}, expect=201)
        assert (await socket.hear())["member"] == member
        said = await ada.say(chat_id)
        assert (await socket.hear())["message"] == said
    assert (await bob.get(f"/chats/{chat_id}"))["unread_count"] == 1


async def test_a_member_may_be_removed_from_an_archived_chat_and_leave_it(
    ada: Person, bob: Person, eve: Person
) -> None:
    chat_id = await ada.group(bob, eve)
    await ada.patch(f"/chats/{chat_id}", {"archived": True})
    await ada.delete(f"/chats/{chat_id}/members/{bob.id}")
    await eve.post(f"/chats/{chat_id}/leave", None, expect=204)
    await ada.patch(f"/chats/{chat_id}/members/{ada.id}", {"can_pin": False}, expect=409)


async def test_nobody_leaves_a_direct_chat(ada: Person, bob: Person) -> None:
    chat_id = (await ada.post("/chats", {"user_ids": [bob.id]}, expect=201))["id"]
    await bob.post(f"/chats/{chat_id}/leave", None, expect=409)
    await ada.delete(f"/chats/{chat_id}/members/{bob.id}", expect=409)
    await ada.patch(f"/chats/{chat_id}/members/{bob.id}", {"can_write": False}, expect=409)


async def test_a_chat_that_everybody_has_left_is_gone(ada: Person) -> None:
    chat_id = await ada.group()
    await ada.post(f"/chats/{chat_id}/leave", None, expect=204)
    await ada.get(f"/chats/{chat_id}", expect=404)
    env = ada.running.env
    assert await env.db.fetchval("SELECT gone_at IS NOT NULL FROM chats WHERE id = $1", chat_id)


# -- the right to read, on live sockets


async def test_one_who_may_not_read_any_more_hears_of_it_last_and_one_who_may_again_goes_on(
    ada: Person, bob: Person
) -> None:
    chat_id = await ada.group(bob)
    async with bob.socket() as socket, ada.listening(chat_id) as witness:
        await socket.say({"type": "subscribe_all"})
        await socket.hear_until(lambda frame: frame.get("chat_id") == chat_id)
        await ada.patch(f"/chats/{chat_id}/members/{bob.id}", {"can_read": False})
        assert (await socket.hear())["member"]["can_read"] is False
        await ada.say(chat_id, "not for him")
        await witness.hear_until(lambda frame: frame["seq"] == 4)
        await socket.silence()
        await ada.patch(f"/chats/{chat_id}/members/{bob.id}", {"can_read": True})
        assert (await socket.hear())["member"]["can_read"] is True
        said = await ada.say(chat_id)
        assert (await socket.hear())["message"] == said
        assert said["id"] is not None


async def test_an_administrator_of_a_chat_reads_whatever_else_he_may_not(ada: Person, bob: Person) -> None:
    chat_id = await ada.group(bob)
    path = f"/chats/{chat_id}/members/{bob.id}"
    await ada.patch(path, {"is_admin": True, "can_read": False})
    async with bob.listening(chat_id) as socket:
        await ada.patch(path, {"is_admin": False})
        assert (await socket.hear())["member"]["is_admin"] is False
        await ada.say(chat_id)
        await socket.silence()
    await bob.get(f"/chats/{chat_id}/messages", expect=403)
