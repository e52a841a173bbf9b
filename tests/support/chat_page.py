"""The program with users who chat by its page, and what such a user does in a browser."""

import asyncio
import json
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Final

import httpx

from tests.support.browser import Browser, Page
from tests.support.databases import fresh_database
from tests.support.program import Program, open_folder

PASSWORD: Final = "correct horse battery staple"
PHONE: Final = (390, 844)
SHOWN: Final = "[...document.querySelectorAll('#messages .text')].map((one) => one.textContent)"


class World:
    """A program with users; `ids` are theirs by login."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.url = f"http://127.0.0.1:{program.port}"
        self.ids: dict[str, int] = {}

    async def make_users(self, **names: str) -> None:
        """Users by login."""
        async with self.signed_in("admin") as admin:
            for login, name in names.items():
                new_user = {"login": login, "name": name, "password": PASSWORD}
                self.ids[login] = (await admin.post("/api/users", json=new_user)).json()["id"]

    @asynccontextmanager
    async def signed_in(self, login: str) -> AsyncIterator[httpx.AsyncClient]:
        """A client of the API."""
        async with httpx.AsyncClient(base_url=self.url, auth=_SignedIn(self.url, login)) as client:
            yield client

    async def new_chat(
        self, *logins: str, kind: str = "group", name: str = "Birds", said: int | list[str] = 0
    ) -> int:
        """A chat of these people, made by the first, who says so many things in it, or these."""
        bodies = [f"number {number}" for number in range(said)] if isinstance(said, int) else said
        async with self.signed_in(logins[0]) as client:
            user_ids = [self.ids[login] for login in logins]
            body = {"chat_type": kind, "name": name, "user_ids": user_ids}
            chat_id = int((await client.post("/chats", json=body)).json()["id"])
            for body_text in bodies:
                answer = await client.post(f"/chats/{chat_id}/messages", json={"body": body_text})
                answer.raise_for_status()
        return chat_id

    async def messages_of(self, login: str, chat_id: int) -> list[str]:
        """What the server has, oldest first."""
        async with self.signed_in(login) as client:
            found = (await client.get(f"/chats/{chat_id}/messages?limit=200")).json()["data"]
        return [message["body"] for message in reversed(found)]


class _SignedIn(httpx.Auth):
    """Signs in, and again when the token is over: those of a test may last for seconds only."""

    requires_response_body = True

    def __init__(self, url: str, login: str) -> None:
        self._sign_in = httpx.Request("POST", f"{url}/signin", json={"login": login, "password": PASSWORD})
        self._token = ""

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """See httpx.Auth."""
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
            answer = yield request
            if answer.status_code != httpx.codes.UNAUTHORIZED:
                return
        self._token = (yield self._sign_in).json()["access_token"]
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


@contextmanager
def running_world(server_url: str, **settings: str) -> Iterator[World]:
    """The program with two workers on a database of its own, with Ada, Bob and Eve."""
    stack = AsyncExitStack()
    with asyncio.Runner() as runner:
        database_url = runner.run(stack.enter_async_context(fresh_database(server_url)))
        common = {
            "DATABASE__URL": database_url,
            "HTTP__WORKERS": "2",
            "AUTH__ADMIN_PASSWORD": PASSWORD,
        }
        try:
            with open_folder() as folder, Program(folder, common | settings) as program:
                program.wait_until_ready()
                world = World(program)
                runner.run(world.make_users(ada="Ada", bob="Bob", eve="Eve"))
                yield world
        finally:
            runner.run(stack.aclose())


async def sign_in(page: Page, login: str, *, stays: bool = False) -> None:
    """Fill in the form, by keyboard."""
    await page.until("document.querySelector('#sign-in')?.hidden === false")
    await page.focus("#login")
    await page.write(login)
    await page.press("Tab")
    await page.write(PASSWORD)
    if stays:
        await page.click("#stay")
    await page.press("Enter")
    await page.until("!document.querySelector('#app').hidden")


async def enter(browser: Browser, world: World, login: str, chat_id: int | None = None) -> Page:
    """The page, signed in, with that chat open."""
    hash_ = "" if chat_id is None else f"#/chat/{chat_id}"
    page = await browser.open(f"{world.url}/chat{hash_}")
    await sign_in(page, login)
    if chat_id is not None:
        await until_open(page)
    return page


async def until_open(page: Page) -> None:
    """Return when a chat is open, and one may write in it or not."""
    await page.until(
        "document.querySelector('#chat')?.hidden === false && (!document.querySelector('#composer').hidden"
        " || !document.querySelector('#may-not-write').hidden)"
    )


async def say(page: Page, text: str) -> None:
    """Write in the chat that is open, and send it."""
    await page.focus("#body")
    await page.write(text)
    await page.press("Enter")


async def until_shown(page: Page, *texts: str) -> None:
    """Return when the conversation is exactly this, and nothing of it waits."""
    expected = json.dumps(list(texts))
    await page.until(
        f"JSON.stringify({SHOWN}) === JSON.stringify({expected}) && !document.querySelector('.waiting')"
    )


def message(text: str) -> str:
    """The script of the message that says exactly this, or undefined."""
    is_it = f"(one) => one.querySelector('.text')?.textContent === {json.dumps(text)}"
    return f"[...document.querySelectorAll('.message')].find({is_it})"


async def choose(page: Page, text: str, *labels: str) -> None:
    """Open what can be done with a message, and press a button of that name; then those of what comes up."""
    await page.until(f"{message(text)} !== undefined")
    await page.run(f"{message(text)}.querySelector('[aria-label=More]').click()")
    for label in labels:
        await press_button(page, label)


async def press_button(page: Page, label: str) -> None:
    """Press the button of the topmost window that is called so, once it is there."""
    # Its name is a label, or the text behind a picture, or all of its text.
    name = "one.ariaLabel ?? one.querySelector('span:not([aria-hidden])')?.textContent ?? one.textContent"
    is_it = f"(one) => one.offsetParent && ({name}) === {json.dumps(label)}"
    window = "[...document.querySelectorAll('dialog[open]')].at(-1)"
    found = f"[...{window}?.querySelectorAll('button') ?? []].find({is_it})"
    await page.until(f"{found} !== undefined")
    await page.run(f"{found}.click()")


def count(page: Page, ending: str) -> int:
    """How many requests went to addresses with this ending."""
    return sum(url.endswith(ending) for url in page.requested)
