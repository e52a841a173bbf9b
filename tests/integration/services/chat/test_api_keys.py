"""What an API key may do in chats: as far as its scopes go, over HTTP and on the socket alike."""

import pytest

from tests.integration.services.chat.world import Person, by_key, open_socket

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_key_that_may_read_follows_chats_and_says_nothing(ada: Person, bob: Person) -> None:
    chat_id = await ada.group(bob)
    robot = await by_key(ada, "chats:read")
    async with robot.listening(chat_id) as socket:
        said = await bob.say(chat_id)
        assert (await socket.hear())["message"] == said
        for frame in (
            {"type": "send", "chat_id": chat_id, "body": "hi", "nonce": "n"},
            {"type": "typing", "chat_id": chat_id},
            {"type": "read", "chat_id": chat_id, "message_id": said["id"]},
        ):
            error = await socket.answer(frame)
            assert error["problem"]["status"] == 403
            assert "chats:create" in error["problem"]["detail"]
        await socket.silence()
    assert (await robot.get("/chats"))["data"][0]["id"] == chat_id
    await robot.post(f"/chats/{chat_id}/messages", {"body": "hi"}, expect=403)
    await robot.delete(f"/chats/{chat_id}", expect=403)


async def test_a_key_that_may_create_posts(ada: Person, bob: Person) -> None:
    chat_id = await ada.group(bob)
    robot = await by_key(ada, "chats:read", "chats:create")
    async with robot.listening(chat_id) as socket:
        await socket.say({"type": "send", "chat_id": chat_id, "body": "beep", "nonce": "n"})
        heard = [await socket.hear(), await socket.hear()]
        assert {frame["type"] for frame in heard} == {"ack", "new_message"}
    await robot.say(chat_id, "boop")
    await robot.patch(f"/chats/{chat_id}", {"name": "x"}, expect=403)


@pytest.mark.parametrize("scopes", [["chats:create"], ["users:read"]])
async def test_a_key_that_may_not_read_chats_is_told_so_and_closed_with_4401(
    ada: Person, scopes: list[str]
) -> None:
    robot = await by_key(ada, *scopes)
    async with open_socket(ada.running.app) as socket:
        await socket.say({"type": "auth", "token": robot.token})
        error = await socket.hear()
        assert (error["type"], error["problem"]["status"]) == ("error", 403)
        assert "chats:read" in error["problem"]["detail"]
        assert await socket.close_code() == 4401


async def test_a_socket_does_not_go_on_with_a_key_that_may_not_read(ada: Person) -> None:
    robot = await by_key(ada, "users:read")
    chat_id = await ada.group()
    async with ada.listening(chat_id) as socket:
        error = await socket.answer({"type": "auth", "token": robot.token, "ref": 1})
        assert (error["problem"]["status"], error["ref"]) == (403, 1)
        said = await ada.say(chat_id)
        assert (await socket.hear())["message"] == said


async def test_a_key_of_another_user_does_not_take_over_a_socket(ada: Person, bob: Person) -> None:
    robot = await by_key(bob, "*:*")
    async with ada.socket() as socket:
        assert (await socket.answer({"type": "auth", "token": robot.token}))["problem"]["status"] == 403
        await socket.silence()
