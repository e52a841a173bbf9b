"""The page /chat in a real browser, against the real program with two worker processes: talking, losing the
connection, sessions, phones. What is done with messages and chats is in test_chat_page_features.py.
"""

import asyncio
from collections.abc import Iterator
from typing import Final

import pytest

from tests.support.browser import Browser
from tests.support.chat_page import (
    PHONE,
    SHOWN,
    World,
    count,
    enter,
    press_button,
    running_world,
    say,
    sign_in,
    until_open,
    until_shown,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

# So short that every test goes through renewals.
ACCESS_SECONDS: Final = 4


@pytest.fixture(scope="module")
def world(server_url: str) -> Iterator[World]:
    """One program for all tests of this file, which use chats of their own."""
    with running_world(server_url, AUTH__ACCESS_TTL_SECONDS=str(ACCESS_SECONDS)) as world:
        yield world


async def test_two_people_talk(world: World, browser: Browser) -> None:
    ada, bob = await asyncio.gather(enter(browser, world, "ada"), enter(browser, world, "bob"))

    await ada.click("#new-chat")
    await ada.write("bo")
    await ada.until("document.querySelector('#who-list')?.textContent.includes('@bob')")
    await ada.press("Enter")
    await press_button(ada, "Begin")
    await ada.until("document.querySelector('#chat-title').textContent === 'Bob'")
    await ada.until("document.querySelector('#chat-members').textContent === 'online'")
    await say(ada, "is it raining?")
    await bob.until("document.querySelector('.chat-row .count')?.textContent.startsWith('1')")
    assert await bob.run("document.title") == "(1) Chat"
    await bob.click(".chat-row")
    await until_shown(bob, "is it raining?")
    await bob.until("document.querySelector('.chat-row .count') === null")
    await ada.until("document.querySelector('.receipt')?.title === 'Read'")

    # It is shown for five seconds, in which nobody may look.
    shown = "document.querySelector('#typing')"
    note = f"new MutationObserver(() => window.typists.push({shown}.textContent))"
    await ada.run(f"window.typists = [], {note}.observe({shown}, {{childList: true}})")
    await bob.focus("#body")
    await bob.write("so it is")
    await ada.until("window.typists.includes('Bob is typing…')")
    await bob.press("Enter")
    await until_shown(ada, "is it raining?", "so it is")
    await ada.until("document.querySelector('#typing').textContent === ''")
    await ada.until("document.querySelector('#announcer').textContent === 'Bob: so it is'")

    await bob.close()
    await ada.until("document.querySelector('#chat-members').textContent === 'offline'")
    assert ada.complaints == bob.complaints == []
    for page in (ada, bob):
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

    # The page is loaded anew before it can know whether anything of that arrived.
    await bob.go_offline(False)
    await bob.reload()
    everything = ("before", "while", "you were", "away", "I write", "on a train")
    await until_shown(bob, *everything)
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

    await until_shown(ada, "one", "two")
    assert await world.messages_of("bob", chat_id) == ["one", "two"]


async def test_a_session_of_two_tabs_outlives_its_tokens_and_a_reload_and_ends_at_both(
    world: World, browser: Browser
) -> None:
    chat_id = await world.new_chat("ada")
    address = f"{world.url}/chat#/chat/{chat_id}"
    one = await browser.open(address)
    await sign_in(one, "ada", stays=True)
    other = await browser.open(address, beside=one)
    await asyncio.gather(until_open(one), until_open(other))
    renewals = "performance.getEntriesByType('resource').filter((one) => one.name.endsWith('/token/refresh'))"
    # It comes at half of the token's life: as long again, and the token is over.
    is_over = f"performance.now() - {renewals}[0]?.startTime > {ACCESS_SECONDS * 500}"
    await asyncio.gather(*(tab.until(is_over) for tab in (one, other)))

    await say(one, "still here")
    await asyncio.gather(*(until_shown(tab, "still here") for tab in (one, other)))
    assert (count(one, "/ws/chat"), count(other, "/ws/chat")) == (1, 1)

    await other.reload()
    await until_shown(other, "still here")
    await one.click("#sign-out")
    await one.until("!document.querySelector('#sign-in').hidden && localStorage.length === 0")
    await other.until("document.querySelector('#sign-in-problem')?.textContent.includes('signed out')")
    await one.reload()
    await one.until("document.querySelector('#sign-in')?.hidden === false")


async def test_history_is_read_a_page_at_a_time_and_a_find_is_shown_where_it_stands(
    world: World, browser: Browser
) -> None:
    chat_id = await world.new_chat(
        "ada", "bob", said=[*(f"number {n}" for n in range(5)), *(["filler"] * 75)]
    )
    bob = await enter(browser, world, "bob", chat_id)
    await bob.until("document.querySelectorAll('.message').length >= 50")
    assert count(bob, "limit=50") == 1

    # Somewhere in the middle, with what is around it.
    await bob.press("k", ctrl=True)
    await bob.write("number 3")
    await bob.until("document.querySelector('#found-messages a mark') !== null")
    await bob.press("Enter")
    await bob.until("document.activeElement?.querySelector('.text')?.textContent === 'number 3'")
    assert await bob.run(f"{SHOWN}[0]") == "number 0"

    # Down again, a page at a time, and from there to the end.
    await bob.until(
        "(document.querySelector('#log').scrollTop = 1e6,"
        " document.querySelectorAll('.message').length === 80)"
    )
    assert await bob.run(SHOWN) == [*(f"number {n}" for n in range(5)), *(["filler"] * 75)]
    assert await bob.run("document.querySelector('#older').hidden && document.querySelector('#newer').hidden")
    await bob.until("document.querySelector('.chat-row[aria-current] .count') === null")


async def test_who_may_not_write_or_pin_is_not_offered_to(world: World, browser: Browser) -> None:
    chat_id = await world.new_chat("ada", "eve", kind="channel", said=1)
    eve = await enter(browser, world, "eve", chat_id)
    await until_shown(eve, "number 0")

    assert await eve.run("document.querySelector('#composer').hidden")
    await eve.run("document.querySelector('.tools [aria-label=More]').click()")
    await eve.until("document.querySelector('dialog.menu') !== null")
    labels = "[...document.querySelectorAll('.menu-item span')].map((one) => one.textContent)"
    assert await eve.run(labels) == ["Copy text", "Forward"]


async def test_a_phone_is_enough(world: World, browser: Browser) -> None:
    chat_id = await world.new_chat("bob", "eve", said=3)
    eve = await browser.open(f"{world.url}/chat")
    await eve.resize(*PHONE, is_phone=True)
    await sign_in(eve, "eve")

    row = f'.chat-row[href="#/chat/{chat_id}"]'
    await eve.until(f"document.querySelector('{row}') !== null")
    assert await eve.run("getComputedStyle(document.querySelector('#conversation')).display") == "none"
    await eve.click(row)
    await eve.until("document.activeElement?.id === 'chat-title'")  # and no keyboard comes up
    assert await eve.run("getComputedStyle(document.querySelector('#sidebar')).display") == "none"
    await eve.until("document.querySelectorAll('.message').length === 3")

    long_touch = "new MouseEvent('contextmenu', {bubbles: true})"
    await eve.run(f"document.querySelector('.message .text').dispatchEvent({long_touch})")
    await press_button(eve, "Reply")
    await eve.until("document.activeElement?.id === 'body'")
    await eve.write("an answer")
    await eve.click("#send")
    await until_shown(eve, "number 0", "number 1", "number 2", "an answer")
    assert await eve.run("document.querySelector('.own .quote').textContent") == "Bobnumber 0"
    assert await eve.run("document.documentElement.scrollWidth") == PHONE[0]
    small = (
        "[...document.querySelectorAll('button, input, textarea')].filter((one) => one.offsetParent &&"
        " !one.closest('#messages') && (one.offsetHeight < 44 || one.offsetWidth < 44)).map((one) => one.id)"
    )
    assert await eve.run(small) == []

    await eve.click("#back")
    await eve.until(f"document.activeElement?.matches('{row}') ?? false")
    assert await eve.run("getComputedStyle(document.querySelector('#sidebar')).display") == "flex"
    assert eve.complaints == []
