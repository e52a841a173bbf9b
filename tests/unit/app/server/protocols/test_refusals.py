"""What is no request, or too much of one: answered in our one shape, and in its turn."""

import pytest

from tests.support.served import parsed
from tests.unit.app.server.protocols.conftest import World

QUICK = b"GET /quick HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /things HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"

MALFORMED = {
    "no request line": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n",
    "no version": b"GET /quick\r\n\r\n",
    "an unknown version": b"GET /quick HTTP/9.9\r\nHost: x\r\n\r\n",
    "no path": b"GET  HTTP/1.1\r\nHost: x\r\n\r\n",
    "no host": b"GET /quick HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /quick HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    "a space before a colon": b"GET /quick HTTP/1.1\r\nHost: x\r\nName : value\r\n\r\n",
    "a name with a line break": b"GET /quick HTTP/1.1\r\nHost: x\r\nNa\rme: value\r\n\r\n",
    "a NUL in a value": b"GET /quick HTTP/1.1\r\nHost: x\r\nName: a\x00b\r\n\r\n",
    "both lengths": POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /slow",
    "both lengths the other way": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "a length in a list": POST + b"Content-Length: 5, 6\r\n\r\nhello",
    "a length below zero": POST + b"Content-Length: -5\r\n\r\nhello",
    "a length with a sign": POST + b"Content-Length: +5\r\n\r\nhello",
    "a length in hexadecimal": POST + b"Content-Length: 0x5\r\n\r\nhello",
    "a huge length": POST + b"Content-Length: 99999999999999999999999\r\n\r\nhello",
    "a coding that is not the last": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "an unknown coding": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a chunk without a length": POST + b"Transfer-Encoding: chunked\r\n\r\nhello\r\n",
    "a chunk that is too short": POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n",
    "a chunk below zero": POST + b"Transfer-Encoding: chunked\r\n\r\n-1\r\nhello\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("sent", MALFORMED.values(), ids=MALFORMED.keys())
async def test_what_is_no_request_is_400_as_a_problem_and_ends_the_connection(
    world: World, sent: bytes
) -> None:
    (said,) = await world.says(sent)
    assert said.status == 400
    assert said.problem["type"] == "urn:starling:malformed"
    assert said.headers["connection"] == "close"
    assert world.guard.refused == {400: 1}


async def test_a_sane_id_of_the_client_is_kept_in_a_refusal(world: World) -> None:
    lengths = b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
    (said,) = await world.says(POST + b"X-Request-ID: mine\r\n" + lengths)
    assert said.problem["instance"] == "mine"


async def test_http_1_0_needs_no_host(world: World) -> None:
    (said,) = await world.says(b"GET /quick HTTP/1.0\r\n\r\n")
    assert said.status == 200


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"x" * 5000,
        b"GET /quick HTTP/1.1\r\nHost: x\r\nName: " + b"x" * 5000,
        b"GET /quick HTTP/1.1\r\nHost: x\r\nName: " + b"x" * 5000 + b"\r\n\r\n",
        b"GET /quick HTTP/1.1\r\nHost: x\r\n" + b"n: v\r\n" * 200 + b"\r\n",
    ],
    ids=["path", "value", "a whole head", "many fields"],
)
async def test_a_head_that_is_too_big_is_431(world: World, head: bytes) -> None:
    (said,) = await world.says(head)
    assert said.status == 431
    assert said.problem["type"] == "urn:starling:headers_too_large"


async def test_a_client_that_goes_on_sending_its_head_still_reads_431(world: World) -> None:
    start = b"GET /quick HTTP/1.1\r\nHost: x\r\nName: "
    (said,) = await world.says(start, *[b"x" * 100_000 for _ in range(20)])
    assert said.status == 431


async def test_a_head_in_small_pieces_is_counted_as_a_whole(world: World) -> None:
    (said,) = await world.says(b"GET /quick HTTP/1.1\r\nHost: x\r\n", *[b"n: %d\r\n" % n for n in range(900)])
    assert said.status == 431


async def test_a_long_body_does_not_count_as_head(world: World) -> None:
    body = b'{"name": "%s"}' % (b"x" * 300_000)
    post = POST + b"Content-Length: %d\r\n" % len(body)
    said = await world.says(post + b"\r\n" + body + post + b"Connection: close\r\n\r\n" + body)
    assert [one.status for one in said] == [200, 200]


async def test_many_requests_at_once_do_not_add_up_to_one_long_head(world: World) -> None:
    last = b"GET /quick HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    said = await world.says(QUICK * 400 + last)
    assert [one.status for one in said] == [200] * 401


async def test_a_refusal_waits_for_the_answers_to_earlier_requests(world: World) -> None:
    reader, writer = await world.connect()
    writer.write(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n" + QUICK + b"nonsense\r\n\r\n")
    await world.asked.wait()
    world.go.set()
    said = parsed(await reader.read())
    writer.close()
    assert [one.status for one in said] == [200, 200, 400]
    assert said[0].body == b'"slow"'


async def test_a_refusal_of_a_body_waits_for_the_answers_to_earlier_requests(world: World) -> None:
    reader, writer = await world.connect()
    broken = POST + b"Transfer-Encoding: chunked\r\n\r\nnonsense\r\n"
    writer.write(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n" + broken)
    await world.asked.wait()
    world.go.set()
    said = parsed(await reader.read())
    writer.close()
    assert [one.status for one in said] == [200, 400]


async def test_what_follows_a_smuggled_request_is_not_answered(world: World) -> None:
    inner = b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"
    sent = POST + b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" % (5 + len(inner))
    (said,) = await world.says(sent + inner)
    assert said.status == 400
    assert not world.asked.is_set()


async def test_what_follows_the_last_request_is_none_and_refuses_nothing(world: World) -> None:
    last = b"GET /quick HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    for pieces in (
        [last + last],
        [last, b"\x00 no HTTP"],
        [last + b"GET /quick HTTP/1.1\r\nHost: x\r\n\r\n"],
    ):
        (said,) = await world.says(*pieces)
        assert said.status == 200


async def test_an_upgrade_that_we_do_not_speak_is_ignored(world: World) -> None:
    (said,) = await world.says(
        b"GET /quick HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n",
        ends=True,
    )
    assert said.status == 200


async def test_nothing_is_left_behind(world: World) -> None:
    await world.says(b"nonsense\r\n\r\n")
    await world.says(b"GET /quick HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    _, writer = await world.connect()
    writer.close()
    await world.settled(0)
