import pytest

from app.http.captured import LARGEST_CAPTURED, CapturedAnswer
from app.http.replies import send_json
from orm.errors import Invalid
from tests.support.asgi import Client


async def test_an_answer_is_held_back_until_it_is_given() -> None:
    captured, client = CapturedAnswer(), Client()
    await send_json(captured.send, 201, b"[1", [(b"x-a", b"1")])
    await captured.send({"type": "http.response.body", "body": b"]"})
    assert (captured.status, captured.body, captured.size) == (201, b"[1]", 3)
    assert (b"x-a", b"1") in captured.headers
    await captured.give(client.send)
    answer = client.answered()
    assert (answer.status, answer.body, answer.headers["x-a"]) == (201, b"[1]", "1")


async def test_where_nothing_was_answered_nothing_is_given() -> None:
    client = Client()
    await CapturedAnswer().give(client.send)
    assert client.sent == []


async def test_what_has_no_end_is_refused() -> None:
    captured = CapturedAnswer()
    await captured.send({"type": "http.response.body", "body": b"x" * LARGEST_CAPTURED})
    with pytest.raises(Invalid):
        await captured.send({"type": "http.response.body", "body": b"x"})
