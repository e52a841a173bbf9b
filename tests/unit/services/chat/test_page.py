"""The page's files and how they are served; the logic in them is tested by node, in the folder page."""

import json
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import httpx
import pytest
from starlette.applications import Starlette

from app.core.errors import NotFound
from app.http.files import MEDIA_TYPES
from app.realtime import CloseCode
from services.chat.routers.page import CONTENT_SECURITY_POLICY, FILES, router_public

ROOT: Final = Path(__file__).parents[4]
PAGE: Final = ROOT / "services" / "chat" / "page"
SOURCES: Final = sorted(PAGE.iterdir())
SCRIPTS: Final = sorted(PAGE.glob("*.js"))
# From these on node takes a .js file with imports for the module that it is, without being told.
OLDEST_NODE: Final = (20, 19)
NODE_SECONDS: Final = 60.0

# What an XML document calls its language is a name and no address.
NAMESPACE: Final = "http://www.w3.org/2000/svg"
WAYS_TO_MAKE_CODE_OF_TEXT: Final = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|setHTML"
    r"|createContextualFragment|DOMParser|srcdoc|javascript:"
)
INLINE: Final = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle\s*=|\son[a-z]+\s*=\s*[\"']", re.IGNORECASE)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(Starlette(routes=router_public.routes))
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        yield client


def node() -> str:
    """The program node, or the test is skipped."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("there is no node on this machine")
    shown = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    version = tuple(int(part) for part in shown.strip().lstrip("v").split(".")[:2])
    if version < OLDEST_NODE:
        pytest.skip(f"node is {shown.strip()}, older than {OLDEST_NODE[0]}.{OLDEST_NODE[1]}")
    return found


def test_every_file_of_the_folder_is_served() -> None:
    assert set(FILES) == {file.name for file in SOURCES}
    assert {file.suffix for file in SOURCES} == set(MEDIA_TYPES)


async def test_the_page_is_its_index(client: httpx.AsyncClient) -> None:
    answer = await client.get("/chat")

    assert answer.status_code == 200
    assert answer.content == (PAGE / "index.html").read_bytes()


@pytest.mark.parametrize("path", ["/chat", *(f"/chat/{name}" for name in sorted(FILES))])
async def test_a_file_goes_out_with_its_type_and_its_restrictions(
    client: httpx.AsyncClient, path: str
) -> None:
    answer = await client.get(path)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == MEDIA_TYPES[Path(path).suffix or ".html"]
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["referrer-policy"] == "no-referrer"


def test_the_policy_allows_nothing_inline_and_nothing_from_elsewhere() -> None:
    rules = dict(rule.split(" ", 1) for rule in CONTENT_SECURITY_POLICY.split("; "))

    assert rules == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "connect-src": "'self'",
        "img-src": "'self' data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }


async def test_a_file_that_the_browser_has_is_not_sent_again(client: httpx.AsyncClient) -> None:
    etag = (await client.get("/chat/main.js")).headers["etag"]

    answer = await client.get("/chat/main.js", headers={"If-None-Match": f'"other", W/{etag}'})

    assert answer.status_code == 304
    assert answer.content == b""
    assert answer.headers["etag"] == etag
    assert (await client.get("/chat/style.css", headers={"If-None-Match": etag})).status_code == 200


@pytest.mark.parametrize("name", ["no.js", "%2e%2e", "page.py", "index.html.bak"])
async def test_what_is_no_file_of_the_page_is_not_found(client: httpx.AsyncClient, name: str) -> None:
    with pytest.raises(NotFound):
        await client.get(f"/chat/{name}")


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: file.name)
def test_no_file_names_another_origin(file: Path) -> None:
    text = file.read_text(encoding="utf-8").replace(NAMESPACE, "")

    assert re.findall(r"(?:https?|wss?):?//|[\"'(]//", text) == []


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: file.name)
def test_no_file_makes_code_or_markup_of_text(file: Path) -> None:
    text = file.read_text(encoding="utf-8")

    assert WAYS_TO_MAKE_CODE_OF_TEXT.findall(text) == []
    if file.suffix in {".html", ".svg"}:
        assert INLINE.findall(text) == []


def test_everything_that_is_named_is_there() -> None:
    index = (PAGE / "index.html").read_text(encoding="utf-8")
    named = re.findall(r'(?:src|href)="chat/([^"]+)"', index)
    imported = [name for script in SCRIPTS for name in re.findall(r'from "\./([^"]+)"', script.read_text())]
    ids = set(re.findall(r'\bid="([^"]+)"', index))
    looked_up = {name for script in SCRIPTS for name in re.findall(r'byId\("([^"]+)"\)', script.read_text())}

    assert set(named) | set(imported) == set(FILES) - {"index.html"}
    assert looked_up <= ids


def test_every_script_is_asked_for_at_once_and_not_one_after_the_other() -> None:
    index = (PAGE / "index.html").read_text(encoding="utf-8")
    preloaded = re.findall(r'rel="modulepreload" href="chat/([^"]+)"', index)

    assert sorted(preloaded) == sorted({script.name for script in SCRIPTS} - {"main.js"})


def test_every_control_has_a_name() -> None:
    index = (PAGE / "index.html").read_text(encoding="utf-8")
    labelled = set(re.findall(r'<label for="([^"]+)"', index))
    controls = re.findall(r"<(?:input|textarea)\b([^>]*)>", index)

    unlabelled = [one for one in controls if 'type="radio"' not in one]
    assert {re.findall(r'id="([^"]+)"', one)[0] for one in unlabelled} <= labelled
    assert re.findall(r"<img(?![^>]*\balt=)", index) == []


def test_the_pages_table_of_close_codes_is_ours() -> None:
    script = (
        f'import("{(PAGE / "close_codes.js").as_uri()}").then((m) => console.log(JSON.stringify(m.COMEBACK)))'
    )
    printed = subprocess.run([node(), "-e", script], capture_output=True, text=True, check=True).stdout

    assert json.loads(printed) == {str(int(code)): code.comeback.name.lower() for code in CloseCode}


@pytest.mark.parametrize("name", ["body_text", "client", "drafts", "session", "state", "timelines"])
def test_what_the_page_works_out_is_right(name: str) -> None:
    file = Path(__file__).parent / "page" / f"{name}.test.mjs"
    done = subprocess.run(
        [node(), "--test", "--test-reporter=tap", str(file)],
        capture_output=True,
        text=True,
        check=False,
        timeout=NODE_SECONDS,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^# pass [1-9]", done.stdout, re.MULTILINE)


def test_all_of_the_pages_tests_are_run() -> None:
    assert {file.name.split(".")[0] for file in (Path(__file__).parent / "page").glob("*.test.mjs")} == {
        "body_text",
        "client",
        "drafts",
        "session",
        "state",
        "timelines",
    }
