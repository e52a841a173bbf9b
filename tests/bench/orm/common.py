"""What a contestant is, and the loop in which its process does what the run tells it.

One line of JSON in, one line out. `{"do": "answer", ...}` gives back what the operations found, in plain
values; `{"do": "time", ...}` gives back the seconds that they took, wall and CPU. The other end is
`run.py`."""

import asyncio
import datetime as dt
import gc
import importlib
import importlib.util
import json
import logging
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import metadata
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from tests.bench.orm.data import COLUMNS, arguments_of, stocks_of

CASES: Final[Mapping[str, str]] = {
    "get": "get by id",
    "search": "search 1,000",
    "joined": "100 with many2one",
    "insert": "insert",
    "insert_many": "bulk insert 1,000",
    "update": "update one field",
    "delete": "delete",
}
"""The methods of a contestant that are timed, and their names for readers."""

ON_RECORDS: Final = ("update", "delete")
"""Cases about records that were read before, which is not timed."""

UVLOOP: Final = "uvloop"


class Contestant(ABC):
    """One way to work with the tables, as its users would: its own defaults, its documented idioms.

    Records are whatever it makes of a row; `plain` says what is in one."""

    packages: tuple[str, ...] = ()
    """The distributions whose versions belong into the report."""

    @abstractmethod
    async def open(self, url: str) -> None:
        """Connect; everything that a program does once."""

    @abstractmethod
    async def close(self) -> None:
        """Disconnect."""

    @abstractmethod
    async def get(self, id: int) -> Any:
        """The product of that id."""

    @abstractmethod
    async def search(self, stock: int) -> Sequence[Any]:
        """The first 1,000 products with at least `stock` pieces, by id."""

    @abstractmethod
    async def joined(self, stock: int) -> Sequence[Any]:
        """The first 100 of them, each with the id and the name of its category."""

    @abstractmethod
    async def insert(self, row: Mapping[str, Any]) -> Any:
        """The new product, with its id."""

    @abstractmethod
    async def insert_many(self, rows: Sequence[Mapping[str, Any]]) -> Sequence[int] | None:
        """The ids of new products in the order of `rows`; None where the library does not tell them."""

    @abstractmethod
    async def load(self, ids: Sequence[int]) -> Sequence[Any]:
        """The products of these ids, in any order. Not timed."""

    @abstractmethod
    async def update(self, record: Any, stock: int) -> Any:
        """The product of the record, which was loaded before, has `stock` pieces."""

    @abstractmethod
    async def delete(self, record: Any) -> Any:
        """The product of the record, which was loaded before, is gone."""

    def value(self, record: Any, column: str) -> Any:
        """The value that a record has in a column."""
        return getattr(record, column)

    @abstractmethod
    def category_name(self, record: Any) -> str:
        """The name of the category of a record that `joined` gave."""

    def plain(self, record: Any) -> list[Any]:
        """The values of a record in the order of COLUMNS, as JSON has them."""
        return [plain(self.value(record, column)) for column in COLUMNS]


def plain(value: Any) -> Any:
    """A value of a column as JSON has it: moments in UTC, decimals as text."""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)


def connection_arguments(url: str) -> dict[str, Any]:
    """host, port, user, password and database of a URL, for libraries that do not know a socket's folder in
    one."""
    parts = urlsplit(url)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    port = parts.port or query.get("port")
    found = {
        "host": parts.hostname or query.get("host"),
        "port": int(port) if port else 5432,
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "database": parts.path.removeprefix("/"),
    }
    return {name: value for name, value in found.items() if value}


def serve(contestant: Contestant) -> None:
    """The main function of a contestant's process: `python -m MODULE URL`, until its input ends."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(contestant.open(sys.argv[1]))
        _settle()
        _say({"versions": _versions((*contestant.packages, "asyncpg", UVLOOP))})
        for line in sys.stdin:
            order = json.loads(line)
            try:
                _say(runner.run(_obey(contestant, **order)))
            except Exception as error:
                logging.exception("%s failed", order)
                _say({"error": f"{type(error).__name__}: {error}"})
        runner.run(contestant.close())


def _settle() -> None:
    """The collector of garbage leaves alone what was made at the start, and looks less often: for every
    contestant alike, as a process that serves requests would have it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


async def _obey(
    contestant: Contestant, *, do: str, case: str, seed: int, count: int, rows: int, ids: Sequence[int]
) -> dict[str, Any]:
    if case in ON_RECORDS:
        arguments = await _record_arguments(contestant, case, seed, ids)
    else:
        arguments = arguments_of(case, seed=seed, count=count, rows=rows)
    operation = getattr(contestant, case)
    if do == "time":
        return await _timed(operation, arguments)
    return {"answers": [_told(contestant, case, await operation(*one)) for one in arguments]}


async def _record_arguments(
    contestant: Contestant, case: str, seed: int, ids: Sequence[int]
) -> list[tuple[Any, ...]]:
    records = {contestant.value(record, "id"): record for record in await contestant.load(ids)}
    if case == "delete":
        return [(records[one],) for one in ids]
    return [(records[one], stock) for one, stock in zip(ids, stocks_of(seed, len(ids)), strict=True)]


async def _timed(operation: Callable[..., Any], arguments: Iterable[tuple[Any, ...]]) -> dict[str, Any]:
    gc.collect()  # the garbage of the preparation is not the operation's
    cpu, wall = time.process_time(), time.perf_counter()
    for one in arguments:
        await operation(*one)
    return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}


def _told(contestant: Contestant, case: str, answer: Any) -> Any:
    """An answer in plain values; of the cases that give nothing to compare, None."""
    if case in ("get", "insert"):
        return contestant.plain(answer)
    if case == "search":
        return [contestant.plain(record) for record in answer]
    if case == "joined":
        return [[*contestant.plain(record), contestant.category_name(record)] for record in answer]
    return list(answer) if case == "insert_many" and answer is not None else None


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if importlib.util.find_spec(UVLOOP) is None:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = importlib.import_module(UVLOOP).new_event_loop
    return factory


def _versions(packages: Iterable[str]) -> dict[str, str]:
    versions = {}
    for name in packages:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def _say(message: Mapping[str, Any]) -> None:
    print(json.dumps(message), flush=True)
