"""Cancels a piece of work at one of the moments at which it waits."""

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any


class CancelledAt:
    """Awaited in a task of its own, it does `work` and cancels it when it waits for the `number`-th time
    (counted from 1): at once, or when `late` in the moment in which what it waits for has come.

    `waits` counts; when it stays below `number`, the work was done."""

    def __init__(self, work: Coroutine[Any, Any, Any], number: int, *, late: bool) -> None:
        self.waits = 0
        self._work = work
        self._number = number
        self._late = late

    def __await__(self) -> Generator[Any, Any, Any]:
        steps = self._work.__await__()
        task = asyncio.current_task()
        assert task is not None
        given: Any = None
        failure: BaseException | None = None
        while True:
            try:
                waited = steps.send(given) if failure is None else steps.throw(failure)
            except StopIteration as end:
                return end.value
            self.waits += 1
            if self.waits == self._number:
                if self._late and waited is not None:
                    # The task's own callback is added before: the task is to be woken, and then cancelled.
                    asyncio.get_running_loop().call_soon(waited.add_done_callback, lambda _: task.cancel())
                else:
                    task.cancel()
            given, failure = None, None
            try:
                given = yield waited
            except BaseException as error:  # noqa: BLE001  # handed on to the work
                failure = error
