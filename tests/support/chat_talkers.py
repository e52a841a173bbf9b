"""Clients of the chat that talk and listen, and note what they are told."""

import asyncio
import contextlib
import random
import secrets
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx

from services.chat.client import ChatClient, Happened, Live, Notice, Reset
from tests.support.chat_history import History, Stream

READ_PART: Final = 0.05
REACTED_PART: Final = 0.1
RETRY_SECONDS: Final = 0.2
ANSWER_SECONDS: Final = 5.0


class Talker:
    """A client of one user that says what it is given and notes what it is told, chat by chat.

    `urls` are those of the workers: each connection goes to any of them.
    """

    def __init__(self, login: str, token: str, urls: Sequence[str], histories: Sequence[History]) -> None:
        self.login = login
        self.token = token
        self._histories = {history.chat_id: history for history in histories}
        self._streams: dict[int, Stream] = {
            history.chat_id: history.stream(f"{login} in {history.chat_id}") for history in histories
        }
        self.client = _Anywhere(urls, self._token)
        self.connections = 0
        self.is_live = asyncio.Event()

    async def _token(self, rejected: str | None) -> str:
        assert rejected is None, "nobody was signed out"
        return self.token

    async def listen(self) -> None:
        """Note what is told, for ever."""
        async for notice in self.client:
            self._note(notice)

    def _note(self, notice: Notice) -> None:
        if isinstance(notice, Live):
            self.connections += 1
            self.is_live.set()
        elif isinstance(notice, Reset):
            self._streams[notice.chat_id].reset(notice.seq)
        elif isinstance(notice, Happened) and notice.event.get("seq") is not None:
            stream = self._streams.get(notice.event["chat_id"])
            if stream is not None:
                stream.event(notice.event)
                if notice.event["type"] == "new_message" and random.random() < READ_PART:
                    self._read(notice.event["message"])

    def _read(self, message: Mapping[str, Any]) -> None:
        self.client.say({"type": "read", "chat_id": message["chat_id"], "message_id": message["id"]})

    async def talk(self, texts: Iterable[str], *, pause_seconds: float) -> None:
        """Say texts in any of the chats, and note which were acknowledged."""
        for text in texts:
            history = random.choice(list(self._histories.values()))
            sent = await self.client.send(history.chat_id, text)
            history.acknowledge(text, sent.message_id, sent.seq)
            await asyncio.sleep(random.uniform(0, pause_seconds * 2))

    def has_heard(self, heads: Mapping[int, int]) -> bool:
        """Whether everything up to these seqs was told."""
        return all(self._streams[chat_id].head >= head for chat_id, head in heads.items())


class Poster:
    """Somebody who says things over HTTP, again under the same nonce where no answer came, at any of `urls`.

    To be used as a context manager.
    """

    def __init__(self, login: str, token: str, urls: Sequence[str], histories: Sequence[History]) -> None:
        self.login = login
        self._histories = histories
        self._clients = [
            httpx.AsyncClient(
                base_url=url,
                headers={"Authorization": f"Bearer {token}"},
                timeout=ANSWER_SECONDS,
                limits=httpx.Limits(max_keepalive_connections=2),
            )
            for url in urls
        ]

    async def __aenter__(self) -> "Poster":
        return self

    async def __aexit__(self, *_: object) -> None:
        for client in self._clients:
            await client.aclose()

    async def talk(self, texts: Iterable[str], *, pause_seconds: float) -> None:
        """Say texts in any of the chats, and note which were acknowledged; react to some of them."""
        for text in texts:
            history = random.choice(self._histories)
            message_id = await self.say(history, text)
            if random.random() < REACTED_PART:
                path = f"/chats/{history.chat_id}/messages/{message_id}/reactions"
                await self._try(random.choice(self._clients), "POST", path, {"emoji": "\N{THUMBS UP SIGN}"})
            await asyncio.sleep(random.uniform(0, pause_seconds * 2))

    async def say(self, history: History, text: str) -> int:
        """The id of a message, posted once however often it takes."""
        body = {"body": text, "nonce": secrets.token_hex(16)}
        message = await self.ask("POST", f"/chats/{history.chat_id}/messages", body)
        history.acknowledge(text, message["id"])
        return int(message["id"])

    async def ask(self, method: str, path: str, body: object = None) -> Any:
        """The answer to what may be asked again."""
        while True:
            answer = await self._try(random.choice(self._clients), method, path, body)
            if answer is not None and answer.is_success:
                return answer.json()
            assert answer is None or answer.status_code in (429, 500, 503, 504), answer.text
            await asyncio.sleep(random.uniform(0, RETRY_SECONDS))

    async def _try(
        self, client: httpx.AsyncClient, method: str, path: str, body: object
    ) -> httpx.Response | None:
        """The answer, None where none came."""
        try:
            return await client.request(method, path, json=body)
        except httpx.TransportError:
            return None


class _Anywhere(ChatClient):
    """A client that connects to another worker each time."""

    def __init__(self, urls: Sequence[str], token: object) -> None:
        super().__init__(urls[0], token, longest_wait_seconds=0.2)  # type: ignore[arg-type]
        self._urls = urls

    async def _serve(self, token: str) -> tuple[int, bool]:
        self._url = random.choice(self._urls)
        return await super()._serve(token)


@asynccontextmanager
async def talking(talkers: Sequence[Talker]) -> AsyncIterator[None]:
    """All of them are connected and listen."""
    async with contextlib.AsyncExitStack() as stack:
        listening = []
        for talker in talkers:
            await stack.enter_async_context(talker.client)
            listening.append(asyncio.create_task(talker.listen()))
        try:
            for talker in talkers:
                async with asyncio.timeout(10):
                    await talker.is_live.wait()
            yield
        finally:
            for task in listening:
                task.cancel()
            await asyncio.gather(*listening, return_exceptions=True)
