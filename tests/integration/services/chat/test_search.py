"""Finding what was said, over HTTP."""

from typing import Any
from urllib.parse import quote

import pytest

from services.chat.actions import search as search_module
from services.chat.app import ChatService
from services.chat.search_indexes import make_search_indexes
from tests.integration.services.chat.world import Person, chat_application, person

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def found(who: Person, q: str, more: str = "") -> list[str]:
    page = await who.get(f"/chats/search?q={quote(q)}{more}")
    return [message["body"] for message in page["data"]]


async def say(who: Person, chat_id: int, *texts: str) -> list[dict[str, Any]]:
    return [await who.say(chat_id, text) for text in texts]


async def test_words_are_found_in_whatever_form_in_both_languages(ada: Person) -> None:
    chat_id = await ada.group()
    await say(ada, chat_id, "Two herons were nesting", "Пустельги гнездились на колокольне", "Nothing here")
    for q in ("heron", "HERONS", "nest", "two nests"):
        assert await found(ada, q) == ["Two herons were nesting"], q
    for q in ("пустельга", "КОЛОКОЛЬНЯ", "гнездиться пустельгами"):
        assert await found(ada, q) == ["Пустельги гнездились на колокольне"], q


async def test_parts_of_words_and_signs_are_found(ada: Person) -> None:
    chat_id = await ada.group()
    await say(ada, chat_id, "photosynthesis", "100% sure", "a_b", "axb", 'path\\to "x"')
    assert await found(ada, "synth") == ["photosynthesis"]
    assert await found(ada, "SYNTHES") == ["photosynthesis"]
    assert await found(ada, "0%") == ["100% sure"]
    assert await found(ada, "a_b") == ["a_b"]
    assert await found(ada, "h\\t") == ['path\\to "x"']
    assert await found(ada, "%") == ["100% sure"]


async def test_a_question_is_asked_as_in_search_engines(ada: Person) -> None:
    chat_id = await ada.group()
    await say(ada, chat_id, "grey heron", "heron grey", "heron white", "stork")
    assert await found(ada, '"grey heron"') == ["grey heron"]
    assert await found(ada, "heron -white") == ["heron grey", "grey heron"]
    assert await found(ada, "white or stork") == ["stork", "heron white"]


async def test_only_what_the_asker_may_read_is_found(ada: Person, bob: Person, eve: Person) -> None:
    ours, hers = await ada.group(bob), await ada.group()
    await ada.say(ours, "the wombat is ours")
    secret = await ada.say(hers, "the wombat is mine")
    assert await found(ada, "wombat") == ["the wombat is mine", "the wombat is ours"]
    assert await found(bob, "wombat") == ["the wombat is ours"]
    assert await found(eve, "wombat") == []
    await bob.get(f"/chats/search?q=wombat&chat_id={hers}", expect=404)
    assert await found(bob, f"wombat or #{hers}") == ["the wombat is ours"]
    assert await found(bob, f"'#{hers}'") == []
    await ada.patch(f"/chats/{ours}/members/{bob.id}", {"can_read": False})
    assert await found(bob, "wombat") == []
    await bob.get(f"/chats/search?q=wombat&chat_id={ours}", expect=403)
    assert secret["chat_id"] == hers


async def test_what_was_deleted_or_edited_away_is_not_found(ada: Person) -> None:
    chat_id = await ada.group()
    first, second = await say(ada, chat_id, "an echidna", "another echidna")
    await ada.delete(f"/chats/{chat_id}/messages/{first['id']}")
    await ada.patch(f"/chats/{chat_id}/messages/{second['id']}", {"body": "a platypus"})
    assert await found(ada, "echidna") == []
    assert await found(ada, "platypus") == ["a platypus"]


async def test_one_chat_is_searched_alone_and_pages_go_on(ada: Person) -> None:
    one, other = await ada.group(), await ada.group()
    bodies = [f"numbat {number}" for number in range(7)]
    await say(ada, one, *bodies)
    await say(ada, other, "numbat elsewhere")
    assert await found(ada, "numbat", f"&chat_id={one}") == bodies[::-1]
    seen, before = [], ""
    while True:
        page = await ada.get(f"/chats/search?q=numbat&limit=3{before}")
        seen += [message["body"] for message in page["data"]]
        if page["next"] is None:
            break
        before = f"&before={page['next']}"
    assert seen == ["numbat elsewhere", *bodies[::-1]]


async def test_a_found_message_is_shown_whole(ada: Person, bob: Person) -> None:
    chat_id = await ada.group(bob)
    said = await ada.say(chat_id, f"a quokka, @{bob.login}")
    path = f"/chats/{chat_id}/messages/{said['id']}/reactions"
    shown = await bob.post(path, {"emoji": "👍"}, expect=200)
    assert (await bob.get("/chats/search?q=quokka"))["data"] == [shown]


@pytest.mark.parametrize(
    "query", ["", "q=", "q=%20", f"q={'x' * 201}", "q=x&limit=0", "q=x&limit=101", "q=x&chat_id=y", "q=x&a=b"]
)
async def test_a_question_that_cannot_be_is_refused(ada: Person, query: str) -> None:
    problem = await ada.get(f"/chats/search?{query}", expect=422)
    assert problem["errors"][0]["pointer"].startswith("/query/")


@pytest.mark.parametrize("q", ["the", "a\0b", "'", "&|!()<->:*", "''", "\\", '"', "-x", "😱"])
async def test_no_question_is_too_strange(ada: Person, q: str) -> None:
    await ada.say(await ada.group(), "plain words")
    assert await found(ada, q) == []


async def test_whoever_is_in_many_chats_finds_the_same(ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    chat_ids = [await ada.group() for _ in range(3)]
    for number in range(9):
        await ada.say(chat_ids[number % 3], f"kakapo {number}")
    expected = await found(ada, "kakapo")
    assert len(expected) == 9
    monkeypatch.setattr(search_module, "FEW_CHATS", 2)
    assert await found(ada, "kakapo") == expected
    # Beyond what is read, the index is asked.
    monkeypatch.setattr(search_module, "READ_AT_MOST", 4)
    assert await found(ada, "kakapo") == expected
    assert await found(ada, "kakapos", "&limit=6") == expected[:6]


async def test_parts_of_words_are_found_among_the_newest_messages_where_there_are_no_trigrams(
    ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    if ada.running.env.service(ChatService).has_trigrams:
        pytest.skip("this database has trigrams")
    chat_id = await ada.group()
    await say(ada, chat_id, "photosynthesis one", "photosynthesis two", "photosynthesis three")
    monkeypatch.setattr(search_module, "READ_AT_MOST", 2)
    assert await found(ada, "synth") == ["photosynthesis three", "photosynthesis two"]
    assert len(await found(ada, "photosynthesis")) == 3


async def test_with_trigrams_parts_of_words_are_found_however_old(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with chat_application(database_url) as running:
        db = running.env.db
        if not await db.fetchval("SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_trgm'"):
            pytest.skip("this server does not have the extension pg_trgm")
        await db.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public")
        service = running.env.service(ChatService)
        service.has_trigrams = await make_search_indexes(db)
        assert service.has_trigrams
        ada = await person(running, "ada")
        chat_id = await ada.group()
        await say(ada, chat_id, "photosynthesis one", "photosynthesis two", "100% sure", "100 sure")
        monkeypatch.setattr(search_module, "READ_AT_MOST", 1)
        assert await found(ada, "SYNTH") == ["photosynthesis two", "photosynthesis one"]
        assert await found(ada, "00%") == ["100% sure"]
        monkeypatch.setattr(search_module, "FEW_CHATS", 0)
        assert await found(ada, "synth") == ["photosynthesis two", "photosynthesis one"]


async def test_indexes_that_are_missing_from_a_large_table_are_told_of_and_not_made(
    database_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with chat_application(database_url) as running:
        db = running.env.db
        await db.execute("DROP INDEX chat_messages_words")
        monkeypatch.setattr("services.chat.search_indexes.SMALL_ROWS", 0)
        await make_search_indexes(db)
        assert "CREATE INDEX CONCURRENTLY IF NOT EXISTS chat_messages_words" in caplog.text
        assert await db.fetchval("SELECT to_regclass('chat_messages_words')") is None
        monkeypatch.setattr("services.chat.search_indexes.SMALL_ROWS", 1)
        await make_search_indexes(db)
        assert await db.fetchval("SELECT to_regclass('chat_messages_words')") is not None
