"""A contestant seen from the run: a process that is told what to do, one line at a time."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.bench.cores import pin

ROOT: Final = Path(__file__).resolve().parents[3]

_ANSWER_SECONDS: Final = 60.0
_END_SECONDS: Final = 5.0
_LONGEST_LINE: Final = 1 << 24


class RivalFailed(Exception):
    """A contestant raised, ended or did not answer. Its str says which and what."""


@dataclass
class Rival:
    """A running contestant."""

    title: str
    process: asyncio.subprocess.Process
    versions: dict[str, str] = field(default_factory=dict)

    async def ask(self, **order: Any) -> dict[str, Any]:
        """What it answers (see common.py). Raises RivalFailed."""
        assert self.process.stdin is not None, "a pipe, see started"
        try:
            self.process.stdin.write(json.dumps(order).encode() + b"\n")
            await self.process.stdin.drain()
        except ConnectionError as error:
            raise RivalFailed(f"{self.title} ended") from error
        return await self.listen()

    async def listen(self) -> dict[str, Any]:
        """The next line that it says. Raises RivalFailed."""
        assert self.process.stdout is not None, "a pipe, see started"
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                line = await self.process.stdout.readline()
        except TimeoutError as error:
            raise RivalFailed(f"{self.title} did not answer within {_ANSWER_SECONDS:g} s") from error
        if not line:
            raise RivalFailed(f"{self.title} ended; what it said stands above")
        message: dict[str, Any] = json.loads(line)
        if "error" in message:
            raise RivalFailed(f"{self.title}: {message['error']}")
        return message


@asynccontextmanager
async def started(
    title: str, module: str, *, python: Path, url: str, core: int | None
) -> AsyncIterator[Rival]:
    """The contestant in `module`, connected to `url`, for as long as the block runs. Raises RivalFailed."""
    process = await asyncio.create_subprocess_exec(
        python,
        "-m",
        module,
        url,
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_LONGEST_LINE,
    )
    try:
        pin(process.pid, core)
        rival = Rival(title, process)
        rival.versions = (await rival.listen())["versions"]
        yield rival
    finally:
        await _ended(process)


async def _ended(process: asyncio.subprocess.Process) -> None:
    assert process.stdin is not None, "a pipe, see started"
    process.stdin.close()  # the end of its input ends it
    try:
        async with asyncio.timeout(_END_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
