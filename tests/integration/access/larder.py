"""A larder for random rights: shelves in shelves, jars on them, labels on the jars; few rows, many
relations."""

import datetime as dt
import random
from collections.abc import Mapping
from typing import Any, Final

from orm import Char, Datetime, DotModel, Integer, Many2many, Many2one, One2many, Ref, Text
from services.security.models import AccessList, AccessRevision, Role, Rule
from tests.support.filter_oracle import Relation, Tables, linked, to_many, to_one
from tests.support.models import ShopHome

ROLES: Final[Mapping[int, str]] = {1: "one", 2: "two", 3: "three", 4: "four"}


class Shelf(DotModel):
    __table__ = "shelves"

    number: int | None = Integer()
    word: str = Char(required=True)
    parent_id: Ref["Shelf"] | None = Many2one("shelves", ondelete="set null")
    children: list["Shelf"] = One2many("shelves", "parent_id")
    jars: list["Jar"] = One2many("jars", "shelf_id")
    mark: str | None = Text(description="What writing changes; no rule is about it")


class Jar(DotModel):
    __table__ = "jars"

    number: int | None = Integer()
    word: str = Char(required=True)
    secret: int | None = Integer(role_read="two", role_create="two", role_update="two")
    token: int | None = Integer(private=True)
    at: dt.datetime | None = Datetime()
    shelf_id: Ref[Shelf] | None = Many2one("shelves", ondelete="set null")
    labels: list["Label"] = Many2many("labels", table="jar_labels", column1="jar_id", column2="label_id")
    mark: str | None = Text()


class Label(DotModel):
    __table__ = "labels"

    number: int | None = Integer()
    word: str = Char(required=True)
    best_id: Ref[Jar] | None = Many2one("jars", ondelete="set null")
    jars: list[Jar] = Many2many("jars", table="jar_labels", column1="label_id", column2="jar_id")
    mark: str | None = Text()


LARDER: Final[Mapping[str, type[DotModel]]] = {"shelf": Shelf, "jar": Jar, "label": Label}
MODELS: Final = {cls.__table__: cls for cls in LARDER.values()}
SECURITY: Final[Mapping[str, type[DotModel]]] = {
    "role": Role,
    "access_list": AccessList,
    "rule": Rule,
    "access_revision": AccessRevision,
}

RELATIONS: Final[Mapping[tuple[str, str], Relation]] = {
    ("shelves", "parent_id"): to_one("shelves", "parent_id"),
    ("shelves", "children"): to_many("shelves", "parent_id"),
    ("shelves", "jars"): to_many("jars", "shelf_id"),
    ("jars", "shelf_id"): to_one("shelves", "shelf_id"),
    ("jars", "labels"): linked("labels", "jar_labels", "jar_id", "label_id"),
    ("labels", "best_id"): to_one("jars", "best_id"),
    ("labels", "jars"): linked("jars", "jar_labels", "label_id", "jar_id"),
}

NUMBERS: Final = (0, 1, 2, 3, 7)
WORDS: Final = ("", "a", "ab", "b")
_PAST, _FUTURE = dt.datetime(2020, 1, 1, tzinfo=dt.UTC), dt.datetime(2120, 1, 1, tzinfo=dt.UTC)

KEPT_FOR: Final = {("jars", "secret"): 2}
PRIVATE: Final = frozenset({("jars", "token")})


def random_rows(rng: random.Random) -> Tables:
    """Rows of every table; a fourth of what may be null is null."""

    def some(values: Any) -> Any:
        return None if rng.random() < 0.25 else rng.choice(values)

    shelves = {
        key: {"id": key, "number": some(NUMBERS), "word": rng.choice(WORDS), "parent_id": some(range(1, 9))}
        for key in range(1, 9)
    }
    jars = {
        key: {
            "id": key,
            "number": some(NUMBERS),
            "word": rng.choice(WORDS),
            "secret": some(NUMBERS),
            "token": some(NUMBERS),
            "at": some((_PAST, _FUTURE)),
            "shelf_id": some(list(shelves)),
        }
        for key in range(1, 13)
    }
    labels = {
        key: {"id": key, "number": some(NUMBERS), "word": rng.choice(WORDS), "best_id": some(list(jars))}
        for key in range(1, 6)
    }
    links = [(jar, label) for jar in jars for label in labels if rng.random() < 0.3]
    return {
        "shelves": shelves,
        "jars": jars,
        "labels": labels,
        "jar_labels": {n: {"jar_id": jar, "label_id": label} for n, (jar, label) in enumerate(links)},
    }


async def put_away(home: ShopHome, tables: Tables) -> None:
    """Make these rows the only ones in the database."""
    run = home.db.run
    for table, cls in MODELS.items():
        await run(f"DELETE FROM {table}")
        # Rows that a case makes get other ids than these.
        await run("SELECT setval(pg_get_serial_sequence($1, 'id'), 1000)", [table])
        rows = [dict(row) for row in tables[table].values()]
        # Shelves stand in shelves that come later: those are told once all of them are there.
        await cls.create_bulk([{**row, "parent_id": None} for row in rows] if table == "shelves" else rows)
    await run(
        "UPDATE shelves SET parent_id = n.parent FROM unnest($1::bigint[], $2::bigint[]) AS n(id, parent)"
        " WHERE shelves.id = n.id",
        [list(tables["shelves"]), [row["parent_id"] for row in tables["shelves"].values()]],
    )
    links = tables["jar_labels"].values()
    await run(
        "INSERT INTO jar_labels (jar_id, label_id) SELECT * FROM unnest($1::bigint[], $2::bigint[])",
        [[link["jar_id"] for link in links], [link["label_id"] for link in links]],
    )
