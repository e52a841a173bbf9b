"""A headless Chromium, driven by its DevTools protocol over the WebSocket library that we have anyway.

No driver has to be installed and no browser is downloaded: the machine's own is used, and where there is none
`find_chromium` says so.

    async with open_browser(chromium, folder) as browser:
        page = await browser.open(url)
        await page.until("document.title === 'Chat'")
"""

import asyncio
import base64
import contextlib
import itertools
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

PATIENCE_SECONDS: Final = 30.0  # nobody waits so long but on a machine that has much else to do
_START_SECONDS: Final = 30.0
_LOOK_SECONDS: Final = 0.02
_PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_FLAGS: Final = (
    "--headless",
    "--no-sandbox",  # as root, Chromium has none
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--hide-scrollbars",
    # A mouse, which a headless one has not: what hovering shows is there. (Phones are emulated without.)
    "--blink-settings=primaryHoverType=2,availableHoverTypes=2,primaryPointerType=4,availablePointerTypes=4",
    "--remote-debugging-port=0",
)
_KEYS: Final[dict[str, tuple[int, str]]] = {
    "Enter": (13, "\r"),
    "Escape": (27, ""),
    "Tab": (9, "\t"),
    "ArrowLeft": (37, ""),
    "ArrowUp": (38, ""),
    "ArrowRight": (39, ""),
    "ArrowDown": (40, ""),
    "Home": (36, ""),
    "End": (35, ""),
    "Delete": (46, ""),
}
_ALT, _CTRL, _SHIFT = 1, 2, 8

Json = dict[str, Any]


_GOING_AWAY = ("navigated or closed", "context was destroyed", "Cannot find context")


class BrowserError(Exception):
    """The browser refused a command, or a script threw."""


def find_chromium() -> str | None:
    """The program of this machine's Chromium, or None."""
    return next((path for name in _PROGRAMS if (path := shutil.which(name))), None)


class Browser:
    """A running browser: its pages live in contexts of their own, which share no storage."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Json]] = {}
        self._pages: dict[str, Page] = {}
        self._contexts: list[str] = []

    async def open(
        self, url: str, *, width: int = 1200, height: int = 800, beside: "Page | None" = None
    ) -> "Page":
        """A page while it loads: in a new context, or in that of the page `beside` it."""
        if beside is None:
            context = (await self.ask("Target.createBrowserContext"))["browserContextId"]
            self._contexts.append(context)
        else:
            context = beside.context
        target = await self.ask("Target.createTarget", {"url": "about:blank", "browserContextId": context})
        attached = await self.ask("Target.attachToTarget", {"targetId": target["targetId"], "flatten": True})
        page = self._pages[attached["sessionId"]] = Page(self, attached["sessionId"], context)
        for domain in ("Page", "Runtime", "Log", "Network"):
            await page.ask(f"{domain}.enable")
        await page.ask("Emulation.setFocusEmulationEnabled", {"enabled": True})
        await page.resize(width, height)
        await page.ask("Page.navigate", {"url": url})
        return page

    async def close_pages(self) -> None:
        """Close what was opened, with all that it has stored."""
        self._pages.clear()
        while self._contexts:
            await self.ask("Target.disposeBrowserContext", {"browserContextId": self._contexts.pop()})

    async def _let_go(self, session: str) -> None:
        """Answer a page that asks whether it may be left. Until then nothing else of it is answered."""
        method, params = "Page.handleJavaScriptDialog", {"accept": True}
        command: Json = {"id": next(self._numbers), "method": method, "params": params, "sessionId": session}
        await self._socket.send(json.dumps(command))

    async def ask(self, method: str, params: Json | None = None, session: str | None = None) -> Json:
        """The result of one command. Raises BrowserError."""
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        command: Json = {"id": number, "method": method, "params": params or {}}
        if session is not None:
            command["sessionId"] = session
        await self._socket.send(json.dumps(command))
        async with asyncio.timeout(PATIENCE_SECONDS):
            found = await answer
        if "error" in found:
            raise BrowserError(f"{method}: {found['error']['message']}")
        result: Json = found["result"]
        return result

    async def listen(self) -> None:
        """Take what the browser says, until it is gone."""
        with contextlib.suppress(ConnectionClosed):
            async for text in self._socket:
                message = json.loads(text)
                if "id" in message:
                    if (answer := self._answers.pop(message["id"], None)) is not None:
                        answer.set_result(message)
                elif message["method"] == "Page.javascriptDialogOpening":
                    await self._let_go(message["sessionId"])
                elif (page := self._pages.get(message.get("sessionId", ""))) is not None:
                    page.note(message["method"], message["params"])


class Page:
    """One tab.

    `complaints` are uncaught errors and what the console calls an error, in order: refusals of the
    Content-Security-Policy among them. `requested` are the URLs of all requests and sockets.
    """

    def __init__(self, browser: Browser, session: str, context: str) -> None:
        self._browser = browser
        self._session = session
        self.context = context
        self.complaints: list[str] = []
        self.requested: list[str] = []

    def note(self, event: str, params: Json) -> None:
        """Keep what a test may want to know."""
        if event == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.complaints.append(details.get("exception", {}).get("description", details["text"]))
        elif event == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.complaints.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")
        elif event in ("Network.requestWillBeSent", "Network.webSocketCreated"):
            self.requested.append(params.get("url") or params["request"]["url"])

    async def ask(self, method: str, params: Json | None = None) -> Json:
        """The result of a command about this page."""
        return await self._browser.ask(method, params, self._session)

    async def run(self, script: str) -> Any:
        """The JSON value of an expression; a promise is awaited. Raises BrowserError for what it throws."""
        found = await self.ask(
            "Runtime.evaluate",
            {"expression": script, "returnByValue": True, "awaitPromise": True, "userGesture": True},
        )
        if "exceptionDetails" in found:
            details = found["exceptionDetails"]
            raise BrowserError(details.get("exception", {}).get("description", details["text"]))
        return found["result"].get("value")

    async def until(self, condition: str, *, seconds: float = PATIENCE_SECONDS) -> None:
        """Return when an expression is true. Raises AssertionError, with what the page shows, if it never
        is.
        """
        deadline = asyncio.get_running_loop().time() + seconds
        while not await self._is_so(condition):
            if asyncio.get_running_loop().time() > deadline:
                shown = await self.run("document.body.innerText")
                raise AssertionError(f"never: {condition}\n{self.complaints}\n{shown}")
            await asyncio.sleep(_LOOK_SECONDS)

    async def _is_so(self, condition: str) -> bool:
        """Whether it is true; a page that goes away while it is asked does not say."""
        try:
            return bool(await self.run(condition))
        except BrowserError as error:
            if any(sign in str(error) for sign in _GOING_AWAY):
                return False
            raise

    async def focus(self, selector: str) -> None:
        """Give the keyboard to an element, as a click into it would."""
        await self.run(f"document.querySelector({selector!r}).focus()")

    async def click(self, selector: str) -> None:
        """Click an element."""
        await self.run(f"document.querySelector({selector!r}).click()")

    async def write(self, text: str) -> None:
        """Put a text where the keyboard is."""
        await self.ask("Input.insertText", {"text": text})

    async def press(self, key: str, *, shift: bool = False, alt: bool = False, ctrl: bool = False) -> None:
        """Press a key, named or a character, and let it go."""
        code, text = _KEYS[key] if key in _KEYS else (ord(key.upper()), key)
        event: Json = {
            "key": key,
            "code": f"Key{key.upper()}" if key.isalpha() and len(key) == 1 else key,
            "windowsVirtualKeyCode": code,
            "modifiers": _SHIFT * shift | _ALT * alt | _CTRL * ctrl,
        }
        is_typed = text and not alt and not ctrl
        down = {"type": "keyDown", "text": text} if is_typed else {"type": "rawKeyDown"}
        await self.ask("Input.dispatchKeyEvent", event | down)
        await self.ask("Input.dispatchKeyEvent", event | {"type": "keyUp"})

    async def close(self) -> None:
        """Close the tab, as a user would."""
        await self.ask("Page.close")

    async def tab_to(self, selector: str, *, most: int = 40, back: bool = False) -> None:
        """Press Tab (`back`: with Shift) until the keyboard is at an element. Raises AssertionError if it
        never gets there.
        """
        for _ in range(most):
            if await self.run(f"document.activeElement?.matches({selector!r}) ?? false"):
                return
            await self.press("Tab", shift=back)
        raise AssertionError(f"Tab does not lead to {selector}")

    async def reload(self) -> None:
        """Load it anew. What was there before is gone when this returns."""
        await self.run("window.isOld = true")
        await self.ask("Page.reload")
        await self.until("!window.isOld && document.readyState === 'complete'")

    async def resize(self, width: int, height: int, *, is_phone: bool = False) -> None:
        """Another size of the window, in CSS pixels."""
        await self.ask(
            "Emulation.setDeviceMetricsOverride",
            {
                "width": width,
                "height": height,
                "deviceScaleFactor": 2 if is_phone else 1,
                "mobile": is_phone,
            },
        )
        await self.ask("Emulation.setTouchEmulationEnabled", {"enabled": is_phone})

    async def go_dark(self, is_dark: bool = True) -> None:
        """What prefers-color-scheme says."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}
        await self.ask("Emulation.setEmulatedMedia", {"features": [scheme]})

    async def go_offline(self, is_offline: bool = True) -> None:
        """Cut this page's network, or mend it."""
        unlimited: Json = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        await self.ask("Network.emulateNetworkConditions", unlimited | {"offline": is_offline})

    async def screenshot(self) -> bytes:
        """What is seen, as PNG."""
        found = await self.ask("Page.captureScreenshot", {"format": "png"})
        return base64.b64decode(found["data"])


@asynccontextmanager
async def open_browser(program: str, folder: Path) -> AsyncIterator[Browser]:
    """A browser with its profile in `folder`, which is new and empty; it is over afterwards."""
    process = await asyncio.create_subprocess_exec(
        program,
        *_FLAGS,
        f"--user-data-dir={folder}",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    reading = None
    try:
        url = await _debugger_url(process.stderr)
        reading = asyncio.create_task(_drain(process.stderr))
        async with connect(url, max_size=None, ping_interval=None) as socket:
            browser = Browser(socket)
            listening = asyncio.create_task(browser.listen())
            yield browser
            await browser.ask("Browser.close")
            await listening
    finally:
        if process.returncode is None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await process.wait()
        if process.returncode is None:
            process.kill()
            await process.wait()
        if reading is not None:
            await reading


async def _debugger_url(stderr: asyncio.StreamReader) -> str:
    """The address that the browser prints once it listens. Raises AssertionError if it ends without."""
    printed = []
    async with asyncio.timeout(_START_SECONDS):
        async for line in stderr:
            text = line.decode(errors="replace").strip()
            printed.append(text)
            if text.startswith("DevTools listening on "):
                return text.removeprefix("DevTools listening on ")
    raise AssertionError("the browser did not start: " + "\n".join(printed))


async def _drain(stderr: asyncio.StreamReader) -> None:
    """Let it complain: a pipe that nobody reads would stop it."""
    async for _ in stderr:
        pass
