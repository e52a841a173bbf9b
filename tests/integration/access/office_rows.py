"""Rows for the office and the modules that ship, each with canaries: texts and numbers that are in no other
row. No two rows of different tables have the same id."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, Final

import asyncpg

from orm.metadata import ModelMeta

Rows = list[dict[str, Any]]

FIRST: Final[Mapping[str, int]] = {
    "folders": 101,
    "papers": 201,
    "paper_lines": 301,
    "tags": 441,
    "drawers": 501,
    "partner_categories": 601,
    "partners": 701,
}
NEXT: Final = 100_001
"""The first id that the database gives."""

ORIGINS: Final[Mapping[tuple[str, str], int]] = {
    ("folders", "budget"): 71_000_000,
    ("papers", "grade"): 72_000_000,
    ("partners", "credit_limit"): 73_000_000,
    ("paper_lines", "amount"): 74_000_000,
}
"""A row's number in that field is this and its id."""


def canary(table: str, key: int, name: str) -> str:
    """A text that stands in that field of that row only."""
    return f"canary.{table}.{key}.{name}."


def marked(table: str, rows: Sequence[Mapping[str, Any]], *texts: str) -> Rows:
    """Rows with ids, and canaries in the fields `texts` and in those that have an origin."""
    made = []
    for key, row in enumerate(rows, FIRST[table]):
        numbers = {name: origin + key for (of, name), origin in ORIGINS.items() if of == table}
        made.append({"id": key, **{name: canary(table, key, name) for name in texts}, **numbers, **row})
    return made


def folders(users: Mapping[str, int]) -> Rows:
    """Open and closed ones of everybody and of nobody, each fourth in the first of all."""
    owners = (users["ada"], users["bob"], users["max"], None)
    kinds = [{"owner_id": owner, "is_open": is_open} for owner, is_open in product(owners, (True, False))]
    homes = [None if key < 3 else FIRST["folders"] + key - 3 for key in range(len(kinds))]
    return marked(
        "folders", [{**kind, "parent_id": home} for kind, home in zip(kinds, homes, strict=True)], "title"
    )


def papers(users: Mapping[str, int], homes: Sequence[int | None]) -> Rows:
    """Of every status in every folder and in none, by everybody and by nobody."""
    authors = (users["ada"], users["bob"], users["max"], None)
    kinds = enumerate(product(homes, ("draft", "final", "sealed")))
    rows = [
        {"folder_id": home, "status": status, "author_id": authors[number % len(authors)]}
        for number, (home, status) in kinds
    ]
    return marked("papers", rows, "title", "body", "pin")


async def fill(connection: "asyncpg.Connection[Any]", users: Mapping[str, int]) -> None:
    """Rows of everybody: seen and unseen ones of every kind, related to each other in every way."""
    made = {"folders": folders(users)}
    made["papers"] = papers(users, [*(row["id"] for row in made["folders"]), None])
    of_papers = [{"paper_id": row["id"]} for row in (*made["papers"], *made["papers"][:6])]
    made["paper_lines"] = marked("paper_lines", of_papers, "text")
    made["tags"] = marked("tags", [{"is_public": number % 2 == 0} for number in range(4)], "name")
    made["drawers"] = marked("drawers", [{}, {}, {}], "thing", "code")
    made["partner_categories"] = marked("partner_categories", [{}, {}, {}], "name")
    owners = (users["ada"], users["bob"], users["mia"], None, users["ada"])
    parents = [None, *range(FIRST["partners"], FIRST["partners"] + 4)]
    made["partners"] = marked(
        "partners",
        [
            {"owner_id": owner, "parent_id": parent, "is_company": False, "active": True}
            for owner, parent in zip(owners, parents, strict=True)
        ],
        "name",
    )
    for table, rows in made.items():
        await _insert(connection, table, rows)
    await _link(connection, "paper_tags", "paper_id", "tag_id", made["papers"], made["tags"])
    categories = made["partner_categories"]
    await _link(
        connection, "partner_category_links", "partner_id", "category_id", made["partners"], categories
    )


async def read(
    connection: "asyncpg.Connection[Any]", models: Sequence[ModelMeta]
) -> tuple[dict[str, dict[int, Mapping[str, Any]]], dict[str, list[Mapping[str, Any]]]]:
    """All rows by table and id, and all links by table."""
    rows: dict[str, dict[int, Mapping[str, Any]]] = {}
    links: dict[str, list[Mapping[str, Any]]] = {}
    for meta in models:
        columns = ", ".join(f't."{name}"' for name in meta.columns)
        found = await connection.fetch(f"SELECT {columns} FROM {meta.table} t")
        rows[meta.table] = {row["id"]: dict(row) for row in found}
        for link in meta.links:
            links[link.table] = [dict(row) for row in await connection.fetch(f"SELECT * FROM {link.table}")]
    return rows, links


async def _insert(connection: "asyncpg.Connection[Any]", table: str, rows: Rows) -> None:
    """Rows as they are, past everything."""
    names = list(rows[0])
    places = ", ".join(f"${n}" for n, _ in enumerate(names, 1))
    values = [[row[name] for name in names] for row in rows]
    await connection.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({places})", values)
    await connection.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {NEXT - 1})")


async def _link(
    connection: "asyncpg.Connection[Any]", table: str, one: str, other: str, rows: Rows, others: Rows
) -> None:
    """Two of three pairs."""
    pairs = [(row["id"], there["id"]) for row in rows for there in others if (row["id"] + there["id"]) % 3]
    await connection.executemany(f"INSERT INTO {table} ({one}, {other}) VALUES ($1, $2)", pairs)
