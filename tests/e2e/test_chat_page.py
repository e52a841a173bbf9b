"""The page /chat in a real browser, against the real program with two worker processes."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

import httpx
import pytest
import pytest_asyncio

from tests.support.browser import Browser, Page, find_chromium, open_browser
from tests.support.databases import fresh_database
from tests.support.program import Program, open_folder

pytestmark = pytest.mark.asyncio(loop_scope="module")

PASSWORD: Final = "correct horse battery staple"
PHONE: Final = (390, 844)
# So short that every test goes through renewals.
ACCESS_SECONDS: Final = 4
# A page notices after three seconds that its connection is dead, and comes back with pauses in between.
COMEBACK_SECONDS: Final = 20.0

Json = dict[str, Any]


class World:
    """A program with users."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.url = f"http://127.0.0.1:{program.port}"
        self.ids: dict[str, int] = {}

    async def make_users(self) -> None:
        """Ada, Bob and Eve."""
        async with self.signed_in("admin") as admin:
            for login in ("ada", "bob", "eve"):
                new_user = {"login": login, "name": login.title(), "password": PASSWORD}
                self.ids[login] = (await admin.post("/api/users", json=new_user)).json()["id"]

    @asynccontextmanager
    async def signed_in(self, login: str) -> AsyncIterator[httpx.AsyncClient]:
        """A client of the API, for as long as its first token lasts."""
        async with httpx.AsyncClient(base_url=self.url) as client:
            answer = await client.post("/signin", json={"login": login, "password": PASSWORD})
            client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
            yield client

    async def new_chat(self, *logins: str, kind: str = "group", said: int = 0) -> int:
        """A chat of these people, made by the first, who says something in it so many times."""
        async with self.signed_in(logins[0]) as client:
            user_ids = [self.ids[login] for login in logins]
            body = {"chat_type": kind, "name": "Birds", "user_ids": user_ids}
            chat_id = int((await client.post("/chats", json=body)).json()["id"])
            for number in range(said):
                answer = await client.post(f"/chats/{chat_id}/messages", json={"body": f"number {number}"})
                answer.raise_for_status()
        return chat_id

    async def messages_of(self, login: str, chat_id: int) -> list[str]:
        """What the server has, oldest first."""
        async with self.signed_in(login) as client:
            found = (await client.get(f"/chats/{chat_id}/messages?limit=200")).json()["data"]
        return [message["body"] for message in reversed(found)]


@pytest.fixture(scope="module")
def world(server_url: str) -> Iterator[World]:
    """One program for all tests of this file, which use chats of their own."""
    stack = AsyncExitStack()
    with asyncio.Runner() as runner:
        database_url = runner.run(stack.enter_async_context(fresh_database(server_url)))
        settings = {
            "DATABASE__URL": database_url,
            "HTTP__WORKERS": "2",
            "AUTH__ADMIN_PASSWORD": PASSWORD,
            "AUTH__ACCESS_TTL_SECONDS": str(ACCESS_SECONDS),
        }
        try:
            with open_folder() as folder, Program(folder, settings) as program:
                program.wait_until_ready()
                world = World(program)
                runner.run(world.make_users())
                yield world
        finally:
            runner.run(stack.aclose())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    """One for all tests: starting it costs more than most of them."""
    chromium = find_chromium()
    if chromium is None:
        pytest.skip("there is no Chromium on this machine")
    async with open_browser(chromium, tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def browser(shared_browser: Browser) -> AsyncIterator[Browser]:
    """Without a page, before and after."""
    yield shared_browser
    await shared_browser.close_pages()


async def enter(browser: Browser, world: World, login: str, chat_id: int | None = None) -> Page:
    """The page, signed in, with that chat open."""
    hash_ = "" if chat_id is None else f"#/chat/{chat_id}"
    page = await browser.open(f"{world.url}/chat{hash_}")
    await page.until("document.querySelector('#sign-in')?.hidden === false")
    await page.focus("#login")
    await page.write(login)
    await page.focus("#password")
    await page.write(PASSWORD)
    await page.press("Enter")
    await page.until("!document.querySelector('#app').hidden")
    if chat_id is not None:
        await page.until(
            "!document.querySelector('#composer').hidden || !document.querySelector('#may-not-write').hidden"
        )
        await page.until("!document.querySelector('#chat').hidden")
    return page


async def say(page: Page, text: str) -> None:
    await page.focus("#body")
    await page.write(text)
    await page.press("Enter")


SHOWN: Final = "[...document.querySelectorAll('#messages .text')].map((one) => one.textContent)"


async def until_shown(page: Page, *texts: str, seconds: float = 10.0) -> None:
    """Return when the conversation is exactly this, and nothing of it waits."""
    expected = json.dumps(list(texts))
    await page.until(
        f"JSON.stringify({SHOWN}) === JSON.stringify({expected}) && !document.querySelector('.waiting')",
        seconds=seconds,
    )


def count(page: Page, ending: str) -> int:
    return sum(url.endswith(ending) for url in page.requested)


async def test_two_people_talk(world: World, browser: Browser) -> None:
    ada, bob = await asyncio.gather(enter(browser, world, "ada"), enter(browser, world, "bob"))

    await ada.click("#new-chat")
    await ada.write(str(world.ids["bob"]))
    await ada.press("Enter")
    await ada.until("document.querySelector('#chat-title').textContent === 'Bob'")
    await say(ada, "<img src=x onerror=alert(1)>")
    await bob.until("document.querySelector('.chat-row .count')?.textContent.startsWith('1')")
    await bob.click(".chat-row")
    await until_shown(bob, "<img src=x onerror=alert(1)>")
    await bob.until("document.querySelector('.chat-row .count') === null")
    await ada.until("document.querySelector('.receipt')?.textContent.includes('Read')")

    await bob.focus("#body")
    await bob.write("so it is")
    await ada.until("document.querySelector('#typing').textContent === 'Bob is typing…'")
    await bob.press("Enter")
    await until_shown(ada, "<img src=x onerror=alert(1)>", "so it is")
    await ada.until("document.querySelector('#typing').textContent === ''")
    await ada.until("document.querySelector('#announcer').textContent === 'Bob: so it is'")

    await bob.run(
        "[...document.querySelectorAll('.own .actions button')].find((b) => b.textContent === 'Pin').click()"
    )
    await ada.until("document.querySelector('.is-pinned .text')?.textContent === 'so it is'")
    await ada.click("#show-pinned")
    await ada.until("document.querySelector('#pinned-list .text')?.textContent === 'so it is'")
    await ada.run("document.querySelector('#pinned-list button').click()")
    await bob.until("document.querySelector('.is-pinned') === null")
    await ada.until("document.querySelector('#pinned-list li') === null")

    for page in (ada, bob):
        assert page.complaints == []
        assert {url.split("/")[2] for url in page.requested} == {f"127.0.0.1:{world.program.port}"}


async def test_nothing_is_lost_or_doubled_while_one_is_offline(world: World, browser: Browser) -> None:
    chat_id = await world.new_chat("ada", "bob")
    ada, bob = await asyncio.gather(
        enter(browser, world, "ada", chat_id), enter(browser, world, "bob", chat_id)
    )
    await say(ada, "before")
    await until_shown(bob, "before")

    await bob.go_offline()
    for text in ("while", "you were", "away"):
        await say(ada, text)
    await until_shown(ada, "before", "while", "you were", "away")
    for text in ("I write", "on a train"):
        await say(bob, text)
    await bob.until("document.querySelectorAll('.waiting').length === 2")
    await bob.until("document.querySelector('#connection').textContent.startsWith('You are offline')")

    await bob.go_offline(False)
    everything = ("before", "while", "you were", "away", "I write", "on a train")
    await until_shown(bob, *everything, seconds=COMEBACK_SECONDS)
    await until_shown(ada, *everything)
    await bob.until("document.querySelector('#connection').hidden")
    assert await world.messages_of("ada", chat_id) == list(everything)


async def test_a_page_outlives_its_worker(world: World, browser: Browser) -> None:
    chat_id = await world.new_chat("ada", "bob")
    ada = await enter(browser, world, "ada", chat_id)
    await say(ada, "one")
    await until_shown(ada, "one")

    for worker in world.program.workers():
        worker.kill()
    await say(ada, "two")

    await until_shown(ada, "one", "two", seconds=COMEBACK_SECONDS)
    assert await world.messages_of("bob", chat_id) == ["one", "two"]


async def test_a_session_is_renewed_on_the_socket_that_is_open_and_outlives_a_reload(
    world: World, browser: Browser
) -> None:
    chat_id = await world.new_chat("ada")
    ada = await enter(browser, world, "ada", chat_id)
    renewals = "performance.getEntriesByType('resource').filter((one) => one.name.endsWith('/token/refresh'))"
    # It comes at half of the token's life: as long again, and the token is over.
    is_over = f"performance.now() - {renewals}[0]?.startTime > {ACCESS_SECONDS * 500}"
    await ada.until(is_over, seconds=4 * ACCESS_SECONDS)

    await say(ada, "still here")
    await until_shown(ada, "still here")
    assert count(ada, "/ws/chat") == 1

    await ada.reload()
    await ada.until("document.querySelector('#messages .text')?.textContent === 'still here'")
    await ada.click("#sign-out")
    await ada.until("!document.querySelector('#sign-in').hidden && sessionStorage.length === 0")
    await ada.reload()
    await ada.until("document.querySelector('#sign-in')?.hidden === false")


async def test_history_is_read_upwards_a_page_at_a_time(world: World, browser: Browser) -> None:
    chat_id = await world.new_chat("ada", "bob", said=70)
    bob = await enter(browser, world, "bob", chat_id)
    await bob.until("document.querySelectorAll('.message').length >= 50")
    assert count(bob, "limit=50") == 1

    # Up through all of it, as a reader would: a page is asked for when its end comes into sight.
    await bob.until(
        "(document.querySelector('#log').scrollTop = 0, document.querySelectorAll('.message').length === 70)"
    )

    assert await bob.run(SHOWN) == [f"number {number}" for number in range(70)]
    assert await bob.run("document.querySelector('#older').hidden")
    await bob.click("#to-newest")
    await bob.until("document.querySelector('.chat-row[aria-current] .count') === null")


async def test_who_may_not_write_or_pin_is_not_offered_to(world: World, browser: Browser) -> None:
    chat_id = await world.new_chat("ada", "eve", kind="channel", said=1)
    eve = await enter(browser, world, "eve", chat_id)
    await until_shown(eve, "number 0")

    assert await eve.run("document.querySelector('#composer').hidden")
    assert await eve.run("document.querySelector('#add-people').hidden")
    assert await eve.run("document.querySelectorAll('.actions button').length") == 0


async def test_a_phone_and_a_keyboard_are_enough(world: World, browser: Browser) -> None:
    chat_id = await world.new_chat("bob", "eve", said=3)
    eve = await browser.open(f"{world.url}/chat")
    await eve.resize(*PHONE, is_phone=True)
    await eve.until("document.activeElement?.id === 'login'")  # where one begins, without a click
    await eve.write("eve")
    await eve.press("Tab")
    await eve.write(PASSWORD)
    await eve.press("Enter")

    row = f'.chat-row[href="#/chat/{chat_id}"]'
    await eve.until(f"document.querySelector('{row}') !== null")
    await eve.tab_to(row)
    assert await eve.run("getComputedStyle(document.querySelector('#conversation')).display") == "none"
    await eve.press("Enter")
    await eve.until("document.activeElement?.id === 'chat-title'")
    assert await eve.run("getComputedStyle(document.querySelector('#sidebar')).display") == "none"
    await eve.until("document.querySelectorAll('.message').length === 3")

    await eve.tab_to(".message")
    await eve.press("ArrowUp")
    assert await eve.run("document.activeElement.querySelector('.text').textContent") == "number 1"
    await eve.press("Tab")
    assert await eve.run("document.activeElement.textContent") == "Reply"
    await eve.press("Enter")
    await eve.until("document.activeElement?.id === 'body'")
    await eve.write("an answer")
    await eve.press("Enter")
    await until_shown(eve, "number 0", "number 1", "number 2", "an answer")
    assert await eve.run("document.querySelector('.own .quote').textContent") == "Bob: number 1"
    assert await eve.run("document.documentElement.scrollWidth") == PHONE[0]

    await eve.press("Escape")
    await eve.until(f"document.activeElement?.matches('{row}') ?? false")
    assert await eve.run("getComputedStyle(document.querySelector('#sidebar')).display") == "flex"
