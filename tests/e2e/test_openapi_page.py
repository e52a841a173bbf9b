"""The page that shows the document, in a real browser, against the real application."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import pytest
import pytest_asyncio
import uvicorn

from tests.support.application import ADMIN, PASSWORD, RunningApplication, running_application
from tests.support.browser import Browser, Page
from tests.support.databases import fresh_database
from tests.support.openapi import operations
from tests.support.program import free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")

PHONE: Final = (390, 844)


class Served:
    """The application behind a socket of its own; `document` is what the page shows."""

    def __init__(self, running: RunningApplication, port: int, document: dict[str, Any]) -> None:
        self.running = running
        self.url = f"http://127.0.0.1:{port}"
        self.document = document


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(server_url: str) -> AsyncIterator[Served]:
    """One for all tests of this file."""
    async with fresh_database(server_url) as url, running_application(url) as running:
        document = (await (await running.client()).get("/openapi.json")).json()
        port = free_port()
        config = uvicorn.Config(running.app, port=port, lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        socket = config.bind_socket()  # it listens before the task has run: nothing to wait for
        serving = asyncio.create_task(server.serve([socket]))
        try:
            yield Served(running, port, document)
        finally:
            server.should_exit = True
            await serving
            socket.close()


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser, served: Served) -> AsyncIterator[Page]:
    """The page, loaded. It must not have complained of anything, nor asked anything of anybody else."""
    page = await browser.open(f"{served.url}/docs")
    await page.until("document.querySelectorAll('.group').length > 1")
    yield page
    assert page.complaints == []
    assert [url for url in page.requested if not url.startswith((served.url, "data:"))] == []


async def sign_in(page: Page, password: str = PASSWORD) -> None:
    await page.click("#account")
    await page.focus("[name=login]")
    await page.write(ADMIN)
    await page.focus("[name=password]")
    await page.write(password)
    await page.press("Enter")


async def open_operation(page: Page, name: str) -> None:
    await page.run(f"location.hash = {name!r}")
    await page.until(f"!!document.querySelector('#{name} .inside')")


async def send(page: Page, name: str) -> str:
    """Send what is filled in; the line that tells how it was answered."""
    await page.run(f"document.querySelector('#{name} .result').replaceChildren()")
    await page.click(f"#{name} .inside .primary")
    await page.until(f"!!document.querySelector('#{name} .result p')")
    line: str = await page.run(f"document.querySelector('#{name} .result p').textContent")
    return line


async def test_every_operation_of_the_document_is_shown_and_can_be_opened(page: Page, served: Served) -> None:
    await page.run("document.querySelectorAll('.group').forEach((group) => { group.open = true; })")
    count = sum(1 for _ in operations(served.document)) + len(served.document["components"]["schemas"])
    await page.until(f"document.querySelectorAll('.entry').length === {count}")
    await page.run("document.querySelectorAll('.entry').forEach((entry) => { entry.open = true; })")
    await page.until(f"document.querySelectorAll('.entry > .inside').length === {count}", seconds=30)
    nameless = await page.run(
        "[...document.querySelectorAll('main input, main select, main textarea')]"
        ".filter((input) => !input.getAttribute('aria-label')).length"
    )
    assert nameless == 0


async def test_a_request_is_tried_out_as_who_is_signed_in(page: Page) -> None:
    await open_operation(page, "users_read_me")
    assert (await send(page, "users_read_me")).startswith("401")
    await sign_in(page)
    await page.until(f"document.querySelector('#account').textContent === 'Sign out {ADMIN}'")
    assert (await send(page, "users_read_me")).startswith("200")
    shown = await page.run("document.querySelector('#users_read_me .result pre').textContent")
    assert f'"login": "{ADMIN}"' in shown
    kept = await page.run("[localStorage.length, sessionStorage.length, document.cookie.length]")
    assert kept == [0, 0, 0]

    await page.click("#account")
    await page.until("document.querySelector('#account').textContent === 'Sign in'")
    assert (await send(page, "users_read_me")).startswith("401")
    page.complaints.clear()  # the console calls an answer of 401 an error


async def test_a_wrong_password_is_told_in_the_dialog(page: Page) -> None:
    await sign_in(page, "wrong")
    await page.until("document.querySelector('#refused').textContent.length > 10")
    assert await page.run("document.querySelector('#signin').open")
    page.complaints.clear()


async def test_parameters_and_bodies_go_out_as_they_are_filled_in(page: Page, served: Served) -> None:
    await sign_in(page)
    await page.until("document.querySelector('#account').className === 'on'")
    await open_operation(page, "create_partners")
    await page.run(
        "document.querySelector('#create_partners textarea').value = JSON.stringify({name: 'Ada & Söhne'})"
    )
    assert (await send(page, "create_partners")).startswith("201")

    await open_operation(page, "list_partners")
    await page.focus("#list_partners [aria-label=filter]")
    await page.write('[["name","ilike","%& sö%"]]')
    await page.focus("#list_partners [aria-label=fields]")
    await page.write("name,active")
    assert (await send(page, "list_partners")).startswith("200")
    shown = await page.run("document.querySelector('#list_partners .result pre').textContent")
    assert "Ada & Söhne" in shown
    assert "credit_limit" not in shown
    await page.focus("#list_partners [aria-label=limit]")
    await page.write("0")
    assert (await send(page, "list_partners")).startswith("422")
    page.complaints.clear()


async def test_a_path_that_is_not_filled_in_is_not_sent(page: Page) -> None:
    await open_operation(page, "get_partners")
    assert await send(page, "get_partners") == "Not sent: id has to be filled in."


async def test_a_link_leads_to_its_operation(browser: Browser, served: Served) -> None:
    page = await browser.open(f"{served.url}/docs#list_partners")
    await page.until("!!document.querySelector('#list_partners .inside')")
    await page.until("document.activeElement.matches('#list_partners > summary')")
    await page.until("document.querySelector('#list_partners').getBoundingClientRect().top < 400")
    await browser.close_pages()


async def test_what_is_searched_is_found_by_keyboard(page: Page) -> None:
    await page.run("document.body.dispatchEvent(new KeyboardEvent('keydown', {key: '/', bubbles: true}))")
    await page.until("document.activeElement.id === 'find'")
    await page.write("describe partners")
    lines = "[...document.querySelectorAll('.entry > summary')].filter((line) => line.checkVisibility())"
    await page.until(f"{lines}.length === 1")
    await page.press("Enter")
    await page.until("document.activeElement.matches('.entry > summary')")
    await page.press("Enter")
    await page.until("!!document.querySelector('#describe_partners .inside')")
    await page.until("location.hash === '#describe_partners'")
    await page.press("ArrowUp")
    await page.until("document.activeElement.id === 'find'")
    await page.press("Escape")
    await page.until(f"{lines}.length !== 1")
    await page.focus("#find")
    await page.write("xyzzy")
    await page.until("!document.querySelector('#nothing').hidden")


async def test_it_fits_a_phone(page: Page) -> None:
    await page.resize(*PHONE, is_phone=True)
    for name in ("list_partners", "create_partners", "chat_post_message"):
        await open_operation(page, name)
        assert await page.run("document.documentElement.scrollWidth <= innerWidth"), name
    await page.run("document.querySelector('#jump').value = 'schemas'")
    await page.run("document.querySelector('#jump').dispatchEvent(new Event('change'))")
    await page.until("document.querySelector('#schemas').open")


async def test_it_is_dark_where_the_system_is(page: Page) -> None:
    light = await page.run("getComputedStyle(document.body).backgroundColor")
    await page.go_dark()
    await page.until(f"getComputedStyle(document.body).backgroundColor !== {light!r}")
