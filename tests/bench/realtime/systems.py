"""The servers that are measured, each started for as long as a block runs: two processes on one database."""

import contextlib
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import psutil

from tests.bench.realtime.child import ROOT
from tests.bench.realtime.listener import Door
from tests.bench.realtime.peers.node import node_modules, node_version
from tests.bench.realtime.poster import Target
from tests.bench.realtime.wire import MARK_BYTES
from tests.support.program import Program, free_port, open_folder

BODY_BYTES: Final = 200
"""Of a message as its author writes it."""

FRAME_BYTES: Final = 409
"""Of the frame that Starling makes of it, with author, times and place in the stream; peers send as many."""

WORKERS: Final = 2

_PASSWORD: Final = "correct horse battery staple"
_USERS: Final = 10
_READY_SECONDS: Final = 60.0
_PEERS: Final = Path(__file__).parent / "peers"

# What one machine does to the server here, many do elsewhere.
_LIMITS: Final = {
    "HTTP__MAX_CONNECTIONS_PER_ADDRESS": "20000",
    "CHAT__SOCKETS_PER_USER": "20000",
    "AUTH__ADMIN_PASSWORD": _PASSWORD,
}


@dataclass
class System:
    """A server that runs. `doors` are opened in equal parts; messages go to `targets`, at any of `ports`."""

    title: str
    versions: dict[str, str]
    processes: list[psutil.Process]
    ports: list[int]
    doors: list[Door]
    targets: list[Target]
    chats: list[Target] = field(default_factory=list)
    """Of Starling: fifty other chats, in which nobody listens."""

    def cpu(self) -> float:
        """Seconds of CPU that its processes have used so far; the database's are not among them."""
        return sum(sum(process.cpu_times()[:2]) for process in self.processes)

    def bytes(self) -> int:
        """Memory that its processes share with nobody."""
        return sum(int(process.memory_full_info().uss) for process in self.processes)


class SystemFailed(Exception):
    """A server did not start, or answered wrongly. Its str says which and why."""


# -- Starling


@contextlib.contextmanager
def starling(database_url: str, *, workers: int = WORKERS) -> Iterator[System]:
    """`starling serve` with a group chat of ten people, on whose sockets all of them listen."""
    settings = {"DATABASE__URL": database_url, "HTTP__WORKERS": str(workers), **_LIMITS}
    with open_folder() as folder, Program(folder, settings) as program:
        try:
            program.wait_until_ready()
        except AssertionError as error:
            raise SystemFailed(f"Starling did not start: {error}") from error
        office = _Office(program.port)
        hall = office.chat("hall")
        yield System(
            title="Starling",
            versions={"Starling": metadata.version("starling"), "uvicorn": metadata.version("uvicorn")},
            processes=program.workers(),
            ports=[program.port],
            doors=[_chat_door(program.port, token, hall) for token in office.tokens],
            targets=[office.target(hall, 0)],
            chats=[office.target(office.chat(f"room {number}"), number) for number in range(50)],
        )
        program.stop()


class _Office:
    """Users and chats, made over HTTP."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._admin = self._signed_in("admin")
        people = [f"user{number}" for number in range(_USERS)]
        self._ids = [
            self._post("/api/users", {"login": one, "name": one, "password": _PASSWORD}, self._admin)["id"]
            for one in people
        ]
        self.tokens = [self._signed_in(one) for one in people]

    def chat(self, name: str) -> int:
        """A new group of all users; its id."""
        body = {"chat_type": "group", "name": name, "user_ids": self._ids}
        return int(self._post("/chats", body, self._admin)["id"])

    def target(self, chat_id: int, user: int) -> Target:
        """Posting into a chat, as one of the users."""
        token = self.tokens[user % len(self.tokens)]
        return Target(
            path=f"/chats/{chat_id}/messages",
            before='{"body":"',
            after="x" * (BODY_BYTES - MARK_BYTES) + '"}',
            headers=f"Authorization: Bearer {token}\r\n",
        )

    def _signed_in(self, login: str) -> str:
        return str(self._post("/signin", {"login": login, "password": _PASSWORD})["access_token"])

    def _post(self, path: str, body: Mapping[str, Any], token: str | None = None) -> Any:
        headers = {"Content-Type": "application/json"} | (
            {"Authorization": f"Bearer {token}"} if token else {}
        )
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._port}{path}", data=json.dumps(body).encode(), headers=headers
        )
        with urllib.request.urlopen(request, timeout=_READY_SECONDS) as answer:
            return json.load(answer)


def _chat_door(port: int, token: str, chat_id: int) -> Door:
    return Door(
        port=port,
        path="/ws/chat",
        subprotocols=f"starling.v1, bearer.{token}",
        hello=json.dumps({"type": "subscribe", "chat_id": chat_id}),
        until='"type":"subscribed"',
        name_key="worker",
    )


# -- the others


def floor(database_url: str) -> contextlib.AbstractContextManager[System]:
    """The least that a Python server can do: see peers/floor.py."""
    return _of_python("uvicorn sansio, frame made once", "floor", database_url)


def naive(database_url: str) -> contextlib.AbstractContextManager[System]:
    """What most people write: see peers/naive.py."""
    return _of_python("Starlette, send_json in gather", "naive", database_url)


@contextlib.contextmanager
def _of_python(title: str, module: str, database_url: str) -> Iterator[System]:
    versions = {name: metadata.version(name) for name in ("uvicorn", "starlette", "websockets")}
    command = [sys.executable, "-m", f"tests.bench.realtime.peers.{module}"]
    with _pair(title, command, database_url) as (processes, ports):
        doors = [Door(port, "/ws") for port in ports]
        yield System(title, versions, processes, ports, doors, [_raw_target()])


@contextlib.contextmanager
def socketio(database_url: str, cache: Path) -> Iterator[System]:
    """socket.io with its PostgreSQL adapter: see peers/socketio.mjs. Raises SystemFailed without node."""
    try:
        modules = node_modules(cache)
    except (OSError, subprocess.SubprocessError) as error:
        raise SystemFailed(f"socket.io cannot be installed: {error}") from error
    program = modules.parent / "socketio.mjs"
    program.write_bytes((_PEERS / "socketio.mjs").read_bytes())  # node looks for modules beside the program
    with _pair("socket.io + postgres-adapter", ["node", str(program)], database_url) as (processes, ports):
        path = "/socket.io/?EIO=4&transport=websocket"
        doors = [Door(port, path, hello="40", until="40{", replies=(("2", "3"),)) for port in ports]
        yield System(
            "socket.io + postgres-adapter", node_version(modules), processes, ports, doors, [_raw_target()]
        )


def _raw_target() -> Target:
    padding = "x" * (FRAME_BYTES - len('{"body":""}') - MARK_BYTES)
    return Target(path="/publish", before='{"body":"', after=f'{padding}"}}')


@contextlib.contextmanager
def _pair(
    title: str, command: Sequence[str], database_url: str
) -> Iterator[tuple[list[psutil.Process], list[int]]]:
    """Two processes that answer GET / with 200, each on a port."""
    ports = [free_port() for _ in range(WORKERS)]
    started = [
        subprocess.Popen([*command, str(port), database_url], cwd=ROOT, stdout=subprocess.DEVNULL)
        for port in ports
    ]
    try:
        for process, port in zip(started, ports, strict=True):
            _wait_for(title, process, port)
        yield [psutil.Process(process.pid) for process in started], ports
    finally:
        for process in started:
            process.terminate()
        for process in started:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_for(title: str, process: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5):
                return
        except OSError:
            time.sleep(0.05)
    raise SystemFailed(f"{title} did not start")
