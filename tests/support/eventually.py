"""Waiting for something to become true, with a deadline."""

import asyncio
from collections.abc import Callable

DEADLINE_SECONDS = 10.0


async def eventually(is_true: Callable[[], object], *, within_seconds: float = DEADLINE_SECONDS) -> None:
    """Return as soon as `is_true()` is; an AssertionError when it is not within `within_seconds`."""
    try:
        async with asyncio.timeout(within_seconds):
            while not is_true():  # noqa: ASYNC110  # the code under test has no event for each condition
                await asyncio.sleep(0.001)
    except TimeoutError:
        raise AssertionError("it did not become true in time") from None
