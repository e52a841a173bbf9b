"""What a database has of the tables of our models, as its catalogue says it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from orm.database import Database
from orm.registry import Registry
from orm.schema.names import INDEX_MARK
from sql import statements

_SQL = statements("orm/schema")
_DEPENDENTS = statements("orm/dependents")


@dataclass(frozen=True, slots=True)
class Column:
    """A column as the database has it. `expression` is its default, or what computes it, in the server's own
    words."""

    type: str
    is_required: bool
    has_default: bool
    is_computed: bool = False
    expression: str | None = None


@dataclass(frozen=True, slots=True)
class Constraint:
    """A unique constraint, or where it has a `target`, the table referred to, a foreign key."""

    table: str
    columns: tuple[str, ...]
    target: str | None = None
    ondelete: str = ""


@dataclass(frozen=True, slots=True)
class IndexThere:
    """An index that no constraint stands on. `columns` are as a model declares them, a leading minus for a
    descending one; None where no model could: an expression, another method than btree, an operator class or
    a collation of its own, columns that are only carried along. `is_ours`: it bears the mark."""

    table: str
    columns: tuple[str, ...] | None
    is_unique: bool = False
    is_partial: bool = False
    is_ours: bool = False


@dataclass(frozen=True, slots=True)
class Dependent:
    """What stands on a column, and how it is made again. `kind`: "index" and "constraint" go when the column
    is dropped, "computed" is the name of a column that is computed from it, "other" (a view, a trigger) keeps
    it from being dropped."""

    kind: str
    name: str
    definition: str = ""
    is_unique: bool = False
    is_ours: bool = False


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Columns by table and name, the names of constraints and indexes, and what is known of constraints,
    indexes and of what stands on a column. `server` is the major version. Expressions and dependents: see
    with_definitions."""

    tables: Mapping[str, Mapping[str, Column]]
    names: frozenset[str]
    constraints: Mapping[str, Constraint] = field(default_factory=dict)
    indexes: Mapping[str, IndexThere] = field(default_factory=dict)
    dependents: Mapping[tuple[str, str], tuple[Dependent, ...]] = field(default_factory=dict)
    server: int = 0


async def read_catalogue(db: Database, registry: Registry) -> Catalogue:
    """What the current schema of `db` has of the tables of `registry`, link tables included."""
    names = [meta.table for meta in registry] + [link.table for meta in registry for link in meta.links]
    tables: dict[str, dict[str, Column]] = {}
    for row in await db.run(_SQL["tables"], [names]):
        table, name, *rest = row
        tables.setdefault(table, {})[name] = Column(*rest)
    found = frozenset(row["name"] for row in await db.run(_SQL["names"], [names]))
    constraints = {
        row["name"]: Constraint(row["table"], tuple(row["columns"]), row["target"], row["ondelete"])
        for row in await db.run(_SQL["constraints"], [names])
    }
    indexes = {}
    for name, table, columns, *rest in await db.run(_SQL["indexes"], [names, INDEX_MARK]):
        indexes[name] = IndexThere(table, None if columns is None else tuple(columns), *rest)
    [[server]] = await db.run(_SQL["server"])
    return Catalogue(tables, found, constraints, indexes, server=server)


async def with_definitions(db: Database, catalogue: Catalogue) -> Catalogue:
    """The same, with the expressions of columns and what stands on them.

    PostgreSQL says them once nobody has the table for himself: it may take as long as the session waits for
    a lock."""
    names = list(catalogue.tables)
    tables = {table: dict(columns) for table, columns in catalogue.tables.items()}
    for table, name, expression in await db.run(_DEPENDENTS["expressions"], [names]):
        tables[table][name] = replace(tables[table][name], expression=expression)
    dependents: dict[tuple[str, str], tuple[Dependent, ...]] = {}
    for table, name, *rest in await db.run(_DEPENDENTS["of_columns"], [names, INDEX_MARK]):
        dependents[table, name] = (*dependents.get((table, name), ()), Dependent(*rest))
    return replace(catalogue, tables=tables, dependents=dependents)
