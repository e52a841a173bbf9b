"""The files of the documentation: how they are served, and that the page needs nothing from elsewhere."""

import asyncio
import gzip
import re
from pathlib import Path

import pytest

from app.core.errors import NotFound
from app.openapi import Documentation
from tests.unit.app.openapi.project import project_of

STATIC = Path(__file__).parents[4] / "app" / "openapi" / "static"
SCRIPTS = sorted(STATIC.glob("*.js"))


def test_the_page_and_what_it_loads_have_their_media_types() -> None:
    documentation = Documentation(project_of())
    assert documentation.page.media_type == "text/html; charset=utf-8"
    assert documentation.file("page.js").media_type == "text/javascript; charset=utf-8"
    assert documentation.file("page.css").media_type == "text/css; charset=utf-8"


async def test_the_document_is_made_once_for_all_who_ask_at_the_same_time() -> None:
    documentation = Documentation(project_of())
    first, *others = await asyncio.gather(*(documentation.document() for _ in range(3)))
    assert first.media_type == "application/json"
    assert all(other is first for other in others)


@pytest.mark.parametrize("name", ["page.html", "other.js", "", "..", "../document.py"])
def test_nothing_else_is_a_file_of_the_page(name: str) -> None:
    with pytest.raises(NotFound):
        Documentation(project_of()).file(name)


@pytest.mark.parametrize("file", sorted(STATIC.iterdir()), ids=lambda file: file.name)
def test_a_file_of_the_page_refers_to_no_other_origin(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert not re.search(r"https?:|//[a-z0-9-]+\.|@import|\burl\(", text)


def test_the_page_has_nothing_inline_and_loads_only_what_is_there() -> None:
    page = (STATIC / "page.html").read_text(encoding="utf-8")
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)|javascript:", page)
    loaded = set(re.findall(r'(?:src|href)="([^"#]+)"', page)) - {"data:,", "openapi.json"}
    assert loaded == {f"docs/{file.name}" for file in STATIC.iterdir()} - {"docs/page.html"}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda file: file.name)
def test_a_script_imports_what_is_there(script: Path) -> None:
    imported = set(re.findall(r'from "\./([^"]+)"', script.read_text(encoding="utf-8")))
    assert imported <= {file.name for file in SCRIPTS} - {script.name}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda file: file.name)
def test_a_script_makes_no_markup_of_texts_and_keeps_no_token(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function|\.style\b"
    assert not re.search(forbidden, text)
    assert not re.search(r"localStorage|sessionStorage|indexedDB|document\.cookie", text)
    assert len(text.splitlines()) < 250


def test_the_page_is_small() -> None:
    assert sum(file.stat().st_size for file in STATIC.iterdir()) < 50_000


async def test_the_packed_document_is_the_same_one_in_every_process() -> None:
    document = await Documentation(project_of()).document()
    assert gzip.decompress(document.packed.content) == document.plain.content
    assert await Documentation(project_of()).document() == document
