"""What else is asked of Starling alone: the price of a token, and of two headers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

import httpx

from tests.bench.http.dialects import Asked
from tests.bench.http.load import KEY, Load, write_requests
from tests.bench.http.run import sliced
from tests.bench.http.world import World
from tests.bench.report import Sample

_ROWS: Final = 500

Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Variant:
    """A request in a variant: what its name says, and what is sent."""

    title: str
    file: Path
    has_keys: bool = False
    is_writing: bool = False


async def variants(world: World, folder: Path) -> list[Variant]:
    """The variants, written into `folder`."""
    token = world.user.headers
    greeting = Asked("GET", "/greeting")
    changes = [Asked("PATCH", f"/api/products/{number}", {"stock": number}) for number in range(1, _ROWS)]
    keyed = [*token, ("Idempotency-Key", KEY)]
    return [
        _written(folder, "a public route, anonymous", [greeting], ()),
        _written(folder, "the same, signed in", [greeting], token),
        await _not_modified(world, folder),
        _written(folder, "U", changes, token, is_writing=True),
        _written(folder, "U with Idempotency-Key", changes, keyed, has_keys=True, is_writing=True),
    ]


async def measured(
    world: World, load: Load, found: Sequence[Variant], *, rounds: int, seconds: int
) -> dict[str, Sample]:
    """The medians of each variant, by title."""
    samples: dict[str, list[Sample]] = {one.title: [] for one in found}
    for _ in range(rounds):
        for one in found:
            samples[one.title].append(
                await sliced(world.starling, load, one.file, seconds, keys=one.has_keys)
            )
            if one.is_writing:
                await world.tidy()
    return {
        title: Sample(median(one.wall for one in own), median(one.cpu for one in own))
        for title, own in samples.items()
    }


def token_microseconds(found: dict[str, Sample]) -> float:
    """What a token costs: CPU of the server in one request."""
    anonymous, signed_in = list(found.values())[:2]
    return (signed_in.cpu - anonymous.cpu) * 1e6


def _written(
    folder: Path,
    title: str,
    asked: Sequence[Asked],
    headers: Headers,
    *,
    has_keys: bool = False,
    is_writing: bool = False,
) -> Variant:
    file = folder / f"extra-{title.replace(' ', '-')}"
    write_requests(file, asked, headers)
    return Variant(title, file, has_keys, is_writing)


async def _not_modified(world: World, folder: Path) -> Variant:
    """R of rows that have not changed since, each asked with its entity tag."""
    user = world.user
    file = folder / "extra-not-modified"
    async with httpx.AsyncClient(base_url=user.server.base, headers=dict(user.headers)) as client:
        with file.open("wb") as whole:
            for number in range(1, _ROWS + 1):
                asked = user.dialect.asked("R", {"id": number})
                tag = (await client.get(asked.path)).headers["etag"]
                write_requests(folder / "one", [asked], [*user.headers, ("If-None-Match", tag)])
                whole.write((folder / "one").read_bytes())
    return Variant("R with If-None-Match, 304", file)
