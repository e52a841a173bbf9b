"""Load on a server: 32 connections that are kept, by wrk where there is one, else by our own generator."""

import asyncio
import itertools
import json
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.bench.cores import pin
from tests.bench.http.dialects import Asked
from tests.bench.http.generator import CONNECTIONS

KEY: Final = "@KEY@"
"""In a header it becomes a text that was never sent before."""

ROOT: Final = Path(__file__).resolve().parents[3]

_SCRIPT: Final = Path(__file__).with_name("load.lua")


class LoadFailed(Exception):
    """The load came to nothing, or requests were refused. Its str says how many."""


@dataclass(frozen=True)
class Loaded:
    """What came of a load: how many requests a second, and latencies in microseconds."""

    requests: int
    seconds: float
    p50: float
    p99: float

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds


def write_requests(path: Path, asked: Iterable[Asked], headers: Iterable[tuple[str, str]]) -> None:
    """The requests, each with these headers, as a file that `Load` takes."""
    with path.open("wb") as file:
        for one in asked:
            raw = raw_request(one, headers)
            file.write(b"%d\n%s" % (len(raw), raw))


def raw_request(asked: Asked, headers: Iterable[tuple[str, str]]) -> bytes:
    """A request as it goes over the line."""
    body = b"" if asked.body is None else json.dumps(asked.body, separators=(",", ":")).encode()
    lines = [f"{asked.method} {asked.path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in headers]
    if asked.body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Load:
    """The generator, pinned to `core` (None: not pinned). `name` says which it is."""

    def __init__(self, core: int | None) -> None:
        self._core = core
        self._wrk = shutil.which("wrk")
        self._numbers = itertools.count()
        self.name = "wrk" if self._wrk else "the rig's own generator (there is no wrk)"

    async def run(
        self, port: int, file: Path, seconds: int, *, wait_ms: float = 0, keys: bool = False
    ) -> Loaded:
        """Ask the server on `port` what stands in `file`, for so long. With `wait_ms` each connection waits
        that long on average before each request. Raises LoadFailed when anything was refused."""
        stamp = f"{file.stem}-{next(self._numbers)}-" if keys else "-"
        if self._wrk:
            command: list[Any] = [self._wrk, "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", _SCRIPT]
            command += [f"http://127.0.0.1:{port}/", "--", file, f"{wait_ms:g}", stamp]
        else:
            command = [sys.executable, "-m", "tests.bench.http.generator"]
            command += [str(port), str(seconds), file, f"{wait_ms:g}", stamp]
        process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        pin(process.pid, self._core)
        output, _ = await process.communicate()
        lines = [line for line in output.decode().splitlines() if line.startswith("{")]
        if process.returncode or not lines:
            raise LoadFailed(f"{self.name} failed: {output.decode()[-500:]}")
        found = json.loads(lines[-1])
        failed = found.pop("failed")
        if not found["requests"]:
            raise LoadFailed(f"nothing was answered within {seconds} s")
        if failed:
            raise LoadFailed(f"{failed} of {found['requests']} requests failed")
        return Loaded(**found)
