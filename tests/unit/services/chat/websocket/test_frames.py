from typing import Any

import msgspec
import pytest

from app.core.errors import Malformed
from orm import Invalid, RecordNotFound
from services.chat.websocket import frames


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"type":"auth","token":"t"}', frames.Auth(token="t")),
        ('{"type":"ping","ref":"a"}', frames.Ping(ref="a")),
        ('{"type":"subscribe","chat_id":7}', frames.Subscribe(chat_id=7)),
        ('{"type":"subscribe","chat_id":7,"since":0}', frames.Subscribe(chat_id=7, since=0)),
        ('{"type":"subscribe_all"}', frames.SubscribeAll()),
        ('{"type":"subscribe_all","since":{"7":3}}', frames.SubscribeAll(since={7: 3})),
        ('{"type":"unsubscribe","chat_id":7,"ref":5}', frames.Unsubscribe(chat_id=7, ref=5)),
        ('{"type":"typing","chat_id":7}', frames.NowTyping(chat_id=7)),
        ('{"type":"read","chat_id":7,"message_id":1}', frames.Read(chat_id=7, message_id=1)),
        (
            '{"type":"send","chat_id":7,"body":"hi","nonce":"n","reply_to_id":4}',
            frames.Send(chat_id=7, body="hi", nonce="n", reply_to_id=4),
        ),
    ],
)
def test_each_frame_of_the_protocol_is_understood(text: str, expected: Any) -> None:
    assert frames.decode(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "5",
        "{}",
        '{"type":"dance"}',
        '{"type":5}',
        '{"type":"auth"}',
        '{"type":"ping","volume":11}',
        '{"type":"subscribe","chat_id":"7"}',
        '{"type":"subscribe","chat_id":0}',
        '{"type":"subscribe","chat_id":99999999999999999999}',
        '{"type":"subscribe","chat_id":7,"since":-1}',
        '{"type":"subscribe_all","since":{"x":1}}',
        '{"type":"send","chat_id":7,"body":"hi"}',
        '{"type":"send","chat_id":7,"body":"hi","nonce":""}',
    ],
)
def test_json_that_is_no_frame_is_invalid_and_says_where(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        frames.decode(text)
    assert caught.value.errors


@pytest.mark.parametrize(
    "text", ["", "hello", '{"type":"ping"', "{'type':'ping'}", '"\ud800"', "[" * 100_000]
)
def test_what_is_no_json_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        frames.decode(text)


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ('{"type":"ping","ref":"a","nonce":"n"}', "a"),
        ('{"type":"send","nonce":"n"}', "n"),
        ('{"type":"send","ref":12}', 12),
        ('{"type":"send","ref":true}', None),
        ('{"type":"send","ref":[1]}', None),
        ('{"type":"send"}', None),
        ("[1]", None),
    ],
)
def test_the_error_about_an_invalid_frame_repeats_its_reference_where_it_has_one(
    text: str, reference: object
) -> None:
    assert frames.reference_in(text) == reference


def test_the_reference_of_a_message_is_its_nonce_unless_it_has_one() -> None:
    assert frames.reference_of(frames.Send(chat_id=1, body="x", nonce="n")) == "n"
    assert frames.reference_of(frames.Send(chat_id=1, body="x", nonce="n", ref="r")) == "r"
    assert frames.reference_of(frames.Ping()) is None


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (frames.PONG, {"type": "pong"}),
        (
            frames.ready(1, heartbeat_seconds=25.0, worker="w"),
            {"type": "ready", "user_id": 1, "heartbeat_seconds": 25.0, "worker": "w"},
        ),
        (
            frames.subscribed(7, 3, (1, 2)),
            {"type": "subscribed", "chat_id": 7, "seq": 3, "presence": [1, 2]},
        ),
        (frames.reset(7, 3), {"type": "reset", "chat_id": 7, "seq": 3}),
        (frames.ack("n", 11, 3), {"type": "ack", "nonce": "n", "message_id": 11, "seq": 3}),
    ],
)
def test_answers_have_the_shapes_of_the_protocol(frame: bytes, expected: Any) -> None:
    assert msgspec.json.decode(frame) == expected


def test_an_error_frame_holds_the_same_object_as_an_http_error() -> None:
    shown = msgspec.json.decode(frames.error(RecordNotFound("gone"), instance="req-1", ref="n"))
    assert shown == {
        "type": "error",
        "ref": "n",
        "problem": {
            "type": "urn:starling:not_found",
            "title": "Not found",
            "status": 404,
            "detail": "gone",
            "instance": "req-1",
            "errors": [],
        },
    }


def test_an_error_frame_without_a_reference_has_no_ref() -> None:
    shown = msgspec.json.decode(frames.error(RuntimeError("secret"), instance=None, ref=None))
    assert "ref" not in shown
    assert shown["problem"]["status"] == 500
    assert "secret" not in str(shown)
