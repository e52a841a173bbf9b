"""What a database has of the tables of our models, as its catalogue says it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from orm.database import Database
from orm.registry import Registry
from sql import statements

_SQL = statements("orm/schema")


@dataclass(frozen=True, slots=True)
class Column:
    """A column as the database has it."""

    type: str
    is_required: bool
    has_default: bool
    is_computed: bool = False


@dataclass(frozen=True, slots=True)
class Constraint:
    """A unique constraint, or where it has a `target`, the table referred to, a foreign key."""

    table: str
    columns: tuple[str, ...]
    target: str | None = None
    ondelete: str = ""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Columns by table and name, the names of constraints and indexes, and what is known of constraints by
    their names."""

    tables: Mapping[str, Mapping[str, Column]]
    names: frozenset[str]
    constraints: Mapping[str, Constraint] = field(default_factory=dict)


async def read_catalogue(db: Database, registry: Registry) -> Catalogue:
    """What the current schema of `db` has of the tables of `registry`, link tables included."""
    names = [meta.table for meta in registry] + [link.table for meta in registry for link in meta.links]
    tables: dict[str, dict[str, Column]] = {}
    for row in await db.run(_SQL["tables"], [names]):
        column = Column(row["type"], row["not_null"], row["has_default"], row["is_computed"])
        tables.setdefault(row["table"], {})[row["column"]] = column
    found = frozenset(row["name"] for row in await db.run(_SQL["names"], [names]))
    constraints = {
        row["name"]: Constraint(row["table"], tuple(row["columns"]), row["target"], row["ondelete"])
        for row in await db.run(_SQL["constraints"], [names])
    }
    return Catalogue(tables, found, constraints)
