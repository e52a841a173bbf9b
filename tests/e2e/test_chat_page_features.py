"""What people do with messages, chats and members on the page /chat, each thing once, in two browsers."""

import asyncio
import json
from collections.abc import Iterator

import pytest

from tests.support.browser import Browser, Page
from tests.support.chat_page import (
    World,
    choose,
    enter,
    message,
    press_button,
    running_world,
    say,
    sign_in,
    until_open,
    until_shown,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

MARKUP = "<img src=x onerror=window.pwned=1><script>window.pwned=1</script>"


@pytest.fixture(scope="module")
def world(server_url: str) -> Iterator[World]:
    """One program for all tests of this file, which use chats of their own."""
    with running_world(server_url) as world:
        yield world


async def two(browser: Browser, world: World, chat_id: int) -> tuple[Page, Page]:
    """Ada and Bob, both with that chat open."""
    return await asyncio.gather(enter(browser, world, "ada", chat_id), enter(browser, world, "bob", chat_id))


async def test_what_one_does_with_a_message_the_other_sees(world: World, browser: Browser) -> None:
    chat_id = await world.new_chat("ada", "bob", said=["one", "two"])
    ada, bob = await two(browser, world, chat_id)
    await asyncio.gather(until_shown(ada, "one", "two"), until_shown(bob, "one", "two"))

    await choose(bob, "one", "React with 🎉")
    await ada.until("document.querySelector('.reaction')?.title === '🎉 Bob'")
    await ada.click(".reaction")
    await bob.until("document.querySelector('.reaction')?.textContent === '🎉2'")
    await bob.click(".reaction")
    await ada.until("document.querySelector('.reaction')?.title === '🎉 you'")

    await choose(bob, "one", "Reply")
    await bob.until("document.querySelector('#mode-text').textContent === 'Replying to Ada: one'")
    await say(bob, "thrie")
    await ada.until(f"{message('thrie')}?.querySelector('.quote').textContent === 'Youone'")
    await ada.run(f"{message('thrie')}.querySelector('.quote').click()")
    await ada.until("document.activeElement?.querySelector('.text')?.textContent === 'one'")

    await bob.focus("#body")
    await bob.press("ArrowUp")
    await bob.until("document.querySelector('#body').value === 'thrie'")
    await bob.run("document.querySelector('#body').value = ''")
    await say(bob, "three")
    await until_shown(ada, "one", "two", "three")
    await bob.until("document.querySelector('#mode').hidden && document.querySelector('#body').value === ''")
    await choose(ada, "three", "Edit history")
    versions = "[...document.querySelectorAll('.versions .text')].map((one) => one.textContent).join()"
    await ada.until(f"{versions} === 'three,thrie'")
    await ada.press("Escape")

    await choose(ada, "two", "Pin")
    await bob.until("document.querySelector('.is-pinned .text')?.textContent === 'two'")
    await bob.click("#show-pinned")
    await bob.until("document.querySelector('#pinned-list .text')?.textContent === 'two'")
    await choose(ada, "two", "Unpin")
    await bob.until("document.querySelector('#pinned-list li') === null")

    await choose(ada, "two", "Delete", "Delete")
    await until_shown(bob, "one", "Message deleted", "three")

    other_id = await world.new_chat("bob", "ada", name="Elsewhere")
    await bob.until("document.querySelectorAll('.chat-row').length >= 2")
    await choose(bob, "three", "Forward", "Elsewhere")
    await ada.run(f"location.hash = '#/chat/{other_id}'")
    await until_shown(ada, "three")
    assert await ada.run("document.querySelector('.forwarded').textContent") == "Forwarded"
    assert ada.complaints == bob.complaints == []


async def test_a_mention_is_completed_counted_and_found(world: World, browser: Browser) -> None:
    chat_id = await world.new_chat("ada", "bob", "eve", name="Mentions")
    ada, bob = await asyncio.gather(enter(browser, world, "ada", chat_id), enter(browser, world, "bob"))
    row = f".chat-row[href='#/chat/{chat_id}']"

    await ada.until("document.querySelector('#chat-members').textContent.includes('online')")
    await ada.focus("#body")
    await ada.write("look here, @b")
    await ada.until(
        "document.querySelector('#mention-list [aria-selected=true]')?.textContent.includes('@bob') ?? false"
    )
    await ada.press("Enter")
    await ada.write("and see")
    await ada.press("Enter")
    await bob.until(f'document.querySelector("{row} .count.at") !== null')

    await bob.press("k", ctrl=True)
    await bob.write("see")
    await bob.until("document.querySelector('#found-messages mark')?.textContent === 'see'")
    await bob.press("Enter")
    await until_open(bob)
    await until_shown(bob, "look here, @bob and see")
    assert await bob.run("document.querySelector('.mention.me').textContent") == "@bob"
    await bob.press("Escape")
    await bob.until(f'document.querySelector("{row} .count") === null')


async def test_a_chat_is_changed_and_people_come_and_go(world: World, browser: Browser) -> None:
    chat_id = await world.new_chat("ada", "bob", name="Plans", said=1)
    ada, eve = await asyncio.gather(enter(browser, world, "ada", chat_id), enter(browser, world, "eve"))
    row = f".chat-row[href='#/chat/{chat_id}']"

    await ada.click("#show-info")
    await press_row(ada, "Add people")
    await ada.write("eve")
    await ada.until("document.querySelector('#who-list')?.textContent.includes('@eve')")
    await ada.press("Enter")
    await press_button(ada, "Add")
    await eve.until(f'document.querySelector("{row}") !== null')
    await eve.click(row)
    await until_shown(eve, "number 0")
    await ada.until("document.querySelectorAll('#member-list > li').length === 3")

    await press_row(ada, "Name and description")
    await ada.run("document.querySelector('#change-name').value = 'Other plans'")
    await press_button(ada, "Save")
    await eve.until("document.querySelector('#chat-title').textContent === 'Other plans'")
    await press_row(ada, "Keep at the top")
    await ada.until("document.querySelector('#chats li .kept') !== null")

    await press_row(ada, "Archive")
    await eve.until("document.querySelector('#composer').hidden")
    await ada.until("document.querySelector('#archive-title').textContent === 'Archived (1)'")
    await press_row(ada, "Open again")
    await eve.until("!document.querySelector('#composer').hidden")

    eves = (
        "[...document.querySelectorAll('#member-list button')].find((one) => one.textContent.includes('Eve'))"
    )
    await ada.run(f"{eves}.click()")
    await ada.until("document.querySelector('[name=can_write]') !== null")
    await ada.click("[name=can_write]")
    await eve.until("!document.querySelector('#may-not-write').hidden")
    await press_button(ada, "Remove from the chat")
    await eve.until(f"document.querySelector('#chat').hidden && document.querySelector(\"{row}\") === null")

    await press_row(ada, "Delete for everybody")
    await press_button(ada, "Delete")
    await ada.until("document.querySelector('#chat').hidden")
    assert ada.complaints == eve.complaints == []


@pytest.mark.parametrize("stays", [True, False], ids=["stays signed in", "this tab only"])
async def test_what_is_not_sent_is_kept_and_is_nobody_elses(
    world: World, browser: Browser, stays: bool
) -> None:
    chat_id = await world.new_chat("ada", "bob", name="Letters", said=["one", "two"])
    other_id = await world.new_chat("ada", "bob", name="Elsewhere")
    ada = await browser.open(f"{world.url}/chat#/chat/{chat_id}")
    await sign_in(ada, "ada", stays=stays)
    await choose(ada, "one", "Reply")
    await ada.until("document.activeElement?.id === 'body'")
    await ada.write("dear Bob")
    await go(ada, other_id)
    await until_written(ada, "")
    await ada.until(f"{preview(chat_id)} === 'Draft: dear Bob'")
    await ada.write("by the way")

    await ada.reload()
    await until_open(ada)
    await until_written(ada, "by the way")
    await ada.until(f"{preview(chat_id)} === 'Draft: dear Bob'")
    await go(ada, chat_id)
    await until_written(ada, "dear Bob", doing="Replying to yourself: one")
    await ada.until(f"{preview(other_id)} === 'Draft: by the way'")

    await choose(ada, "two", "Edit")
    await until_written(ada, "two", doing="Editing: two")
    await ada.write(" and a half")
    await ada.reload()
    await until_written(ada, "two and a half", doing="Editing: two")
    await ada.focus("#body")
    await ada.press("Enter")
    await until_shown(ada, "one", "two and a half")
    await until_written(ada, "dear Bob")
    await ada.write(", good night")
    await ada.press("Enter")
    await until_shown(ada, "one", "two and a half", "dear Bob, good night")
    await ada.reload()
    await until_shown(ada, "one", "two and a half", "dear Bob, good night")
    await until_written(ada, "")

    await ada.focus("#body")
    await ada.write("what nobody may see")
    await ada.click("#sign-out")
    await press_button(ada, "Sign out")
    await ada.until("!document.querySelector('#sign-in').hidden")
    kept = "Object.keys({...localStorage, ...sessionStorage}).filter((one) => one.includes('draft'))"
    assert await ada.run(kept) == []
    await until_written(ada, "")
    await sign_in(ada, "bob", stays=stays)
    await until_shown(ada, "one", "two and a half", "dear Bob, good night")
    await until_written(ada, "")
    assert await ada.run(preview(other_id)) == "Nothing said yet"
    assert ada.complaints == []


async def test_two_tabs_have_the_same_drafts(world: World, browser: Browser) -> None:
    chat_id = await world.new_chat("ada", "bob", name="Both")
    first = await browser.open(f"{world.url}/chat#/chat/{chat_id}")
    await sign_in(first, "ada", stays=True)
    second = await browser.open(f"{world.url}/chat#/chat/{chat_id}", beside=first)
    await asyncio.gather(until_open(first), until_open(second))
    for page in (first, second):
        await page.run("window.heard = [], addEventListener('storage', ({key}) => window.heard.push(key))")

    await first.focus("#body")
    await first.write("hel")
    await until_written(second, "hel")
    await second.focus("#body")
    await second.write("lo")
    await until_written(first, "hello")
    drafts = "window.heard.filter((key) => key.includes('draft')).length"
    assert [await first.run(drafts), await second.run(drafts)] == [1, 1]  # nobody repeats what he hears

    await second.press("Enter")
    await asyncio.gather(until_shown(first, "hello"), until_shown(second, "hello"))
    await until_written(first, "")
    assert await world.messages_of("bob", chat_id) == ["hello"]
    assert first.complaints == second.complaints == []


async def test_what_is_refused_stays_and_says_why(world: World, browser: Browser) -> None:
    chat_id = await world.new_chat("ada", name="Limits")
    ada = await enter(browser, world, "ada", chat_id)

    await ada.run("document.querySelector('#body').removeAttribute('maxlength')")
    await say(ada, "x" * 65_537)
    await ada.until("document.querySelector('.failure')?.textContent.includes('at most 65536 characters')")
    await ada.run("[...document.querySelectorAll('.failure button')].at(-1).click()")
    await ada.until("document.querySelectorAll('.message').length === 0")


async def test_no_text_becomes_markup(world: World, browser: Browser) -> None:
    async with world.signed_in("admin") as admin:
        new_user = {"login": "<b>@mallory", "name": MARKUP, "password": "correct horse battery staple"}
        world.ids["mallory"] = (await admin.post("/api/users", json=new_user)).json()["id"]
    bodies = [
        MARKUP,
        f'`{MARKUP}` javascript:alert(1) https://a.example/"onclick=x <a href=x>',
        f"```\n{MARKUP}\n```",
    ]
    chat_id = await world.new_chat("ada", "mallory", "bob", name=MARKUP, said=bodies)
    async with world.signed_in("ada") as client:
        await client.patch(f"/chats/{chat_id}", json={"description": MARKUP})
    bob = await enter(browser, world, "bob", chat_id)
    await bob.until("document.querySelectorAll('.message').length === 3")

    await bob.click("#show-info")
    await bob.until("document.querySelector('.description') !== null")
    await bob.press("k", ctrl=True)
    await bob.write("onerror")
    await bob.until("document.querySelectorAll('#found-messages a').length > 0")
    await bob.focus("#body")
    await bob.write("@")

    assert await bob.run(f"document.querySelector('.message .text').textContent === {json.dumps(MARKUP)}")
    assert (
        await bob.run("document.querySelectorAll('#app img, #app script, [onclick], [onerror]').length") == 0
    )
    links = "[...document.querySelectorAll('.text a')].map((one) => one.href)"
    assert await bob.run(links) == ["https://a.example/"]
    assert await bob.run("window.pwned") is None
    assert bob.complaints == []


async def test_a_keyboard_is_enough(world: World, browser: Browser) -> None:
    chat_id = await world.new_chat("ada", "bob", name="Keys", said=["first", "second"])
    await world.new_chat("ada", "bob", name="Locks")
    ada = await enter(browser, world, "ada")
    await ada.until("document.querySelectorAll('.chat-row').length >= 2")

    await ada.press("k", ctrl=True)
    await ada.write("keys")
    await ada.until("document.querySelector('#found-chats a')?.textContent.includes('Keys')")
    await ada.press("Enter")
    await until_open(ada)
    await until_shown(ada, "first", "second")
    await ada.until("document.activeElement?.id === 'body'")
    await ada.press("Escape")  # ends the search

    await ada.tab_to(".message", back=True)
    await ada.press("ArrowUp")
    assert await ada.run("document.activeElement.querySelector('.text').textContent") == "first"
    await ada.press("+")
    await ada.until("document.activeElement?.ariaLabel === 'React with 👍'")
    await ada.press("ArrowRight")
    await ada.press("Enter")
    await ada.until("document.querySelector('.reaction')?.title === '❤️ you'")
    await ada.until("document.activeElement?.matches('.message') ?? false")
    await ada.press("p")
    await ada.until("document.activeElement?.matches('.is-pinned') ?? false")
    await ada.press("e")
    await ada.until("document.activeElement?.id === 'body' && document.activeElement.value === 'first'")
    await ada.write(" of all")
    await ada.press("Enter")
    await until_shown(ada, "first of all", "second")

    await ada.tab_to(".message", back=True)
    await ada.press("End")
    await ada.press("Delete")
    await ada.until("document.activeElement?.textContent === 'Cancel'")
    await ada.press("Tab")
    await ada.press("Enter")
    await until_shown(ada, "first of all", "Message deleted")

    await ada.press("?")
    await ada.until("document.querySelector('dialog.help') !== null")
    await ada.press("Escape")
    await ada.until("document.querySelector('dialog') === null")
    await ada.press("ArrowUp", alt=True)
    await ada.until("document.querySelector('#chat-title').textContent === 'Locks'")
    await ada.press("Escape")
    await ada.until("document.activeElement?.matches('.chat-row') ?? false")
    assert await world.messages_of("bob", chat_id) == ["first of all", ""]


async def go(page: Page, chat_id: int) -> None:
    """Open another chat."""
    await page.run(f"location.hash = '#/chat/{chat_id}'")
    await page.until(f"document.querySelector(\"{row_of(chat_id)}\")?.ariaCurrent === 'true'")


def row_of(chat_id: int) -> str:
    """The selector of a chat in the list."""
    return f".chat-row[href='#/chat/{chat_id}']"


def preview(chat_id: int) -> str:
    """The script of what the list says of a chat."""
    return f'document.querySelector("{row_of(chat_id)} .preview")?.textContent'


async def until_written(page: Page, text: str, *, doing: str | None = None) -> None:
    """Return when this stands where one writes; `doing` is what is said above it, if anything."""
    mode = "document.querySelector('#mode')"
    shown = (
        f"{mode}?.hidden" if doing is None else f"{mode}?.hidden === false && {mode}.innerText === '{doing}'"
    )
    await page.until(f"document.querySelector('#body')?.value === {json.dumps(text)} && {shown}")


async def press_row(page: Page, label: str) -> None:
    """Press a button of the panel about the chat, once it is there."""
    rows = "[...document.querySelectorAll('.row-button')]"
    found = f"{rows}.find((one) => one.textContent === {json.dumps(label)})"
    await page.until(f"{found} !== undefined")
    await page.run(f"{found}.click()")
