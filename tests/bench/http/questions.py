"""Which questions a run asks, and what the database itself answers."""

import datetime as dt
import random
from collections.abc import Mapping
from typing import Any, Final

import asyncpg

from tests.bench.http.shape import CATEGORIES, LIMITS, READ, Question

_COLUMNS: Final = ", ".join(f"p.{name}" for name in READ)
_FROM: Final = "FROM products p JOIN categories c ON c.id = p.category_id"
_WHERE: Final = {"S40": "p.category_id = $1 AND p.active", "S100": "p.price >= $1"}


def question(case: str, rng: random.Random, products: int) -> Question:
    """One question of a case."""
    if case == "R":
        return {"id": rng.randint(1, products)}
    if case == "U":
        return {"id": rng.randint(1, products), "stock": rng.randrange(1000)}
    if case == "S40":
        return {"category": rng.randint(1, CATEGORIES)}
    if case == "S100":
        return {"price": rng.randint(1, 300)}
    number = rng.randrange(10**9)
    return {
        "name": f"New product {number}",
        "price": f"{number % 100_000 / 100:.2f}",
        "stock": number % 1000,
        "active": number % 2 == 0,
        "note": f"A note about {number}" if number % 3 else None,
        "category_id": number % CATEGORIES + 1,
    }


async def right_answer(connection: "asyncpg.Connection[Any]", case: str, asked: Question) -> Any:
    """What a contestant has to answer, in the form of `plain_row`, after a writing case was done."""
    if case in ("R", "U"):
        row = await connection.fetchrow(
            f"SELECT {_COLUMNS}, c.id AS cid, c.name AS cname {_FROM} WHERE p.id = $1", asked["id"]
        )
        return stored_row(row)
    where, value = _WHERE[case], asked["category"] if case == "S40" else asked["price"]
    rows = await connection.fetch(
        f"SELECT {_COLUMNS}, c.id AS cid, c.name AS cname {_FROM} WHERE {where} "
        f"ORDER BY p.id DESC LIMIT {LIMITS[case]}",
        value,
    )
    total = None
    if case == "S40":
        total = await connection.fetchval(f"SELECT count(*) {_FROM} WHERE {where}", value)
    return {"rows": [stored_row(row) for row in rows], "total": total}


def stored_row(row: Any) -> dict[str, Any]:
    """A row of the database in the form that answers are compared in."""
    found = plain_row({name: row[name] for name in READ})
    return {**found, "category": {"id": row["cid"], "name": row["cname"]}}


def plain_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of READ, however they were written: prices as text with two places, moments in UTC."""
    found = {name: row[name] for name in READ}
    found["price"] = f"{float(row['price']):.2f}"  # some write it as text, some as a number
    moment = row["created_at"]
    if isinstance(moment, str):
        moment = dt.datetime.fromisoformat(moment)
    found["created_at"] = moment.astimezone(dt.UTC).isoformat()
    return found
