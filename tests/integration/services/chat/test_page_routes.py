"""The page in the real application: public, behind the edge, beside the API."""

import httpx

from services.chat.routers.page import CONTENT_SECURITY_POLICY, FILES
from tests.integration.services.chat.world import chat_application


async def answers(database_url: str, *requests: tuple[str, str]) -> list[httpx.Response]:
    async with chat_application(database_url) as running:
        client = await running.client()
        return [await client.request(method, path) for method, path in requests]


async def test_the_page_and_its_files_need_no_sign_in_and_are_not_sniffed(database_url: str) -> None:
    paths = ["/chat", *(f"/chat/{name}" for name in FILES)]

    for answer in await answers(database_url, *(("GET", path) for path in paths)):
        assert answer.status_code == 200
        assert answer.headers.get_list("x-content-type-options") == ["nosniff"]
        assert answer.headers.get_list("content-security-policy") == [CONTENT_SECURITY_POLICY]
        assert answer.headers["x-request-id"]


async def test_what_is_not_there_and_what_cannot_be_done_is_a_problem(database_url: str) -> None:
    missing, above, posted, chats = await answers(
        database_url,
        ("GET", "/chat/secret.js"),
        ("GET", "/chat/%2e%2e%2fapp.py"),
        ("POST", "/chat"),
        ("GET", "/chats"),
    )

    for answer in (missing, above):
        assert (answer.status_code, answer.json()["type"]) == (404, "urn:starling:not_found")
    assert (posted.status_code, posted.headers["allow"]) == (405, "GET, HEAD")
    assert chats.status_code == 401  # the page's path does not hide the API beside it


async def test_head_says_what_get_would(database_url: str) -> None:
    head, get = await answers(database_url, ("HEAD", "/chat/main.js"), ("GET", "/chat/main.js"))

    assert head.status_code == 200
    assert head.headers["etag"] == get.headers["etag"]
    assert head.headers["content-length"] == get.headers["content-length"]
    assert len(get.content) > int(get.headers["content-length"])  # it travels packed
