"""Models for tests of filters and orders: pieces with every kind of field, the rooms they stand in, topics.

Their values come from small pools, so that rows tie, filters match, and the edges of each type are met.
"""

import asyncio
import contextvars
import datetime as dt
import decimal
import random
import uuid
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from orm import (
    BigInteger,
    Binary,
    Boolean,
    Char,
    Computed,
    Date,
    Datetime,
    Decimal,
    DotModel,
    Float,
    Integer,
    JSONField,
    Many2many,
    Many2one,
    One2many,
    One2one,
    Ref,
    Selection,
    SmallInteger,
    Text,
    Time,
    Uuid,
)
from tests.support.databases import fresh_schema
from tests.support.filter_oracle import Relation, Tables, linked, to_many, to_one
from tests.support.models import ShopHome, shop

T = TypeVar("T")


class Room(DotModel):
    __table__ = "rooms"

    word: str = Char(required=True)
    number: int | None = Integer()
    annex_of_id: Ref["Room"] | None = Many2one("rooms")
    known_for_id: Ref["Piece"] | None = One2one("pieces")
    annexes: list["Room"] = One2many("rooms", "annex_of_id")
    pieces: list["Piece"] = One2many("pieces", "room_id")


class Topic(DotModel):
    __table__ = "topics"

    word: str | None = Char()
    pieces: list["Piece"] = Many2many("pieces", table="piece_topics", column1="topic_id", column2="piece_id")


class Piece(DotModel):
    __table__ = "pieces"

    number: int | None = Integer()
    small: int | None = SmallInteger()
    big: int | None = BigInteger()
    ratio: float | None = Float()
    amount: decimal.Decimal | None = Decimal(10, 2)
    word: str = Char(required=True)
    text: str | None = Text()
    flag: bool | None = Boolean()
    kind: str | None = Selection(options=["painting", "print", "statue"])
    day: dt.date | None = Date()
    hour: dt.time | None = Time()
    moment: dt.datetime | None = Datetime()
    blob: bytes | None = Binary()
    token: uuid.UUID | None = Uuid()
    data: Any | None = JSONField()
    doubled: int | None = Computed(sql="small * 2")
    room_id: Ref[Room] | None = Many2one("rooms")
    known_in: list[Room] = One2many("rooms", "known_for_id")
    topics: list[Topic] = Many2many("topics", table="piece_topics", column1="piece_id", column2="topic_id")


MUSEUM: Final[Mapping[str, type[DotModel]]] = {"room": Room, "topic": Topic, "piece": Piece}

RELATIONS: Final[Mapping[tuple[str, str], Relation]] = {
    ("rooms", "annex_of_id"): to_one("rooms", "annex_of_id"),
    ("rooms", "known_for_id"): to_one("pieces", "known_for_id"),
    ("rooms", "annexes"): to_many("rooms", "annex_of_id"),
    ("rooms", "pieces"): to_many("pieces", "room_id"),
    ("topics", "pieces"): linked("pieces", "piece_topics", "topic_id", "piece_id"),
    ("pieces", "room_id"): to_one("rooms", "room_id"),
    ("pieces", "known_in"): to_many("rooms", "known_for_id"),
    ("pieces", "topics"): linked("topics", "piece_topics", "piece_id", "topic_id"),
}

_NOON: Final = dt.datetime(2024, 2, 29, 12, tzinfo=dt.UTC)

# `word` has small ASCII letters only, which every collation sorts alike; `text` is for equality and patterns.
POOLS: Final[Mapping[str, Sequence[Any]]] = {
    "number": (0, 1, 2, -1, 7, -(2**31), 2**31 - 1),
    "small": (0, 1, 2, -(2**15), 2**14),
    "big": (0, 1, 2**40, -(2**63), 2**63 - 1),
    "ratio": (0.0, -0.0, 0.3, 0.1 + 0.2, -1.5, 1e-308, 1e300),
    "amount": tuple(map(decimal.Decimal, ("0", "0.1", "0.10", "-1.00", "9.99", "99999999.99"))),
    "word": ("a", "", "ab", "abc", "b", "ba"),
    "text": (
        "", "a", "A", "ab", "aB", "a%b", "a_b", "a\\b", "%", "_", "\\",
        "a\nb", "'", "é", "ÉA", "Ж", "жa", "😀",
    ),
    "flag": (False, True),
    "kind": ("painting", "print", "statue"),
    "day": (dt.date(2024, 2, 29), dt.date(2024, 3, 1), dt.date(1, 1, 2), dt.date(9999, 12, 30)),
    "hour": (dt.time(12, 30), dt.time.min, dt.time.max, dt.time(12, 30, 0, 1)),
    "moment": (
        _NOON,
        _NOON + dt.timedelta(microseconds=1),
        _NOON.astimezone(dt.timezone(dt.timedelta(hours=5, minutes=30))),
        _NOON + dt.timedelta(hours=1),
        dt.datetime(1, 1, 2, tzinfo=dt.UTC),
        dt.datetime(9999, 12, 30, 23, 59, 59, 999999, tzinfo=dt.UTC),
    ),
    "blob": (b"a", b"", b"\x00", b"ab", b"\xff"),
    "token": tuple(uuid.UUID(int=number) for number in (0, 1, 2**64, 2**127, 2**128 - 1)),
    "data": (
        {}, [], 1, True, "a", {"a": 1}, {"a": None}, {"a": {"b": [1, 2]}, "c": "x"},
        [1, 2, {"a": 1}], [[1]], [True, "a"],
    ),
}  # fmt: skip

FIELDS: Final[Mapping[str, Mapping[str, str]]] = {
    "rooms": {"word": "word", "number": "number", "annex_of_id": "id", "known_for_id": "id", "id": "id"},
    "topics": {"word": "word", "id": "id"},
    "pieces": {**{name: name for name in POOLS}, "doubled": "number", "room_id": "id", "id": "id"},
}
"""For each field that can be compared the pool that a value for it comes from; "id" is any id."""

REQUIRED: Final = frozenset({("pieces", "word"), ("rooms", "word")})


def random_tables(rng: random.Random, pieces: int) -> Tables:
    """Rows of every table: few enough to relate to each other, a third of what may be null null."""

    def value(table: str, name: str) -> Any:
        if (table, name) not in REQUIRED and rng.random() < 0.3:
            return None
        return rng.choice(POOLS[name])

    def one_of(ids: Sequence[int]) -> int | None:
        return rng.choice(ids) if ids and rng.random() < 0.7 else None

    room_ids, topic_ids, piece_ids = range(1, pieces // 4 + 2), range(1, 5), range(1, pieces + 1)
    known = rng.sample([*piece_ids, *[None] * len(room_ids)], len(room_ids))
    rooms = {
        room: {
            "id": room,
            "word": value("rooms", "word"),
            "number": value("rooms", "number"),
            "annex_of_id": one_of(range(1, room)),
            "known_for_id": piece,
        }
        for room, piece in zip(room_ids, known, strict=True)
    }
    made = {
        piece: {"id": piece, **{name: value("pieces", name) for name in POOLS}, "room_id": one_of(room_ids)}
        for piece in piece_ids
    }
    for row in made.values():
        row["doubled"] = None if row["small"] is None else row["small"] * 2
    links = [(piece, topic) for piece in piece_ids for topic in topic_ids if rng.random() < 0.3]
    return {
        "rooms": rooms,
        "topics": {topic: {"id": topic, "word": value("topics", "word")} for topic in topic_ids},
        "pieces": made,
        "piece_topics": {n: {"piece_id": piece, "topic_id": topic} for n, (piece, topic) in enumerate(links)},
    }


async def store(home: ShopHome, tables: Tables) -> None:
    """Make these rows the only ones in the database."""
    await home.db.execute("TRUNCATE rooms, topics, pieces, piece_topics")
    await Room.create_bulk([{**row, "known_for_id": None} for row in tables["rooms"].values()])
    await Topic.create_bulk([dict(row) for row in tables["topics"].values()])
    await Piece.create_bulk(
        [
            {name: value for name, value in row.items() if name != "doubled"}
            for row in tables["pieces"].values()
        ]
    )
    await home.db.fetch(
        "UPDATE rooms SET known_for_id = n.piece"
        " FROM unnest($1::bigint[], $2::bigint[]) AS n(room, piece) WHERE id = n.room",
        list(tables["rooms"]),
        [room["known_for_id"] for room in tables["rooms"].values()],
    )
    links = tables["piece_topics"].values()
    await home.db.fetch(
        "INSERT INTO piece_topics (piece_id, topic_id) SELECT * FROM unnest($1::bigint[], $2::bigint[])",
        [link["piece_id"] for link in links],
        [link["topic_id"] for link in links],
    )


@dataclass
class Museum:
    """An open museum. Hypothesis calls plain functions, many times in one test: `run` is their way in."""

    home: ShopHome
    lower: Callable[[str], str]
    """How the server's collation makes letters small for `ilike`."""
    _runner: asyncio.Runner
    _bound: contextvars.Context

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` gives back, the museum's home being bound."""
        return self._runner.run(work, context=self._bound)


@contextmanager
def open_museum(database_url: str) -> Iterator[Museum]:
    """A museum without rows, in a schema of its own, until the block ends."""
    stack, bound = AsyncExitStack(), contextvars.copy_context()

    async def enter() -> tuple[ShopHome, bool]:
        url = await stack.enter_async_context(fresh_schema(database_url))
        home = await stack.enter_async_context(shop(url, models=MUSEUM))
        return home, await home.db.fetchval("SELECT 'É' ILIKE 'é'")

    with asyncio.Runner() as runner:
        try:
            home, folds_every_letter = runner.run(enter(), context=bound)
            yield Museum(home, str.lower if folds_every_letter else _lower_ascii, runner, bound)
        finally:
            runner.run(stack.aclose(), context=bound)


def _lower_ascii(text: str) -> str:
    return "".join(letter.lower() if letter.isascii() else letter for letter in text)
