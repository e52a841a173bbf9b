"""A process of the rig that follows orders: a line of JSON each way. Synchronous: one order at a time."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from tests.bench.cores import pin

ROOT: Final = Path(__file__).resolve().parents[3]
_END_SECONDS: Final = 5.0


class ChildFailed(Exception):
    """A process of the load raised or ended. Its str says what."""


class Child:
    """One that runs. Its standard error is ours."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    def begin(self, **order: Any) -> None:
        """Give an order; `finish` waits for its answer."""
        assert self._process.stdin is not None, "a pipe, see child"
        try:
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise ChildFailed("it has ended; what it said stands above") from error

    def finish(self) -> dict[str, Any]:
        """The answer to the order before. Raises ChildFailed."""
        assert self._process.stdout is not None, "a pipe, see child"
        line = self._process.stdout.readline()
        if not line:
            raise ChildFailed("it has ended; what it said stands above")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise ChildFailed(answer["error"])
        return answer

    def ask(self, **order: Any) -> dict[str, Any]:
        """Give an order and wait for its answer. Raises ChildFailed."""
        self.begin(**order)
        return self.finish()


@contextmanager
def child(module: str, *, core: int | None) -> Iterator[Child]:
    """A process with `module` as its main one, on a core, for as long as the block runs."""
    command = [sys.executable, "-m", f"tests.bench.realtime.{module}"]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        pin(process.pid, core)
        yield Child(process)
    finally:
        assert process.stdin is not None, "a pipe"
        process.stdin.close()  # the end of its input ends it
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
