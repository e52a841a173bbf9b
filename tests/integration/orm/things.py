"""A table whose model is made by each test, brought from one declaration to the next."""

from typing import Any

from orm import Char, Computed, Database, Datetime, DotModel, Integer, JSONField, Registry
from orm.schema import migrate
from orm.schema.difference import Difference
from orm.schema.migrations import Migration, parse, write_plan


def thing(**attributes: Any) -> Registry:
    """A registry of one model on the table `things`."""
    hints = {
        name: Any if getattr(value, "required", False) else Any | None
        for name, value in attributes.items()
        if not name.startswith("__")
    }
    body = {"__table__": "things", "__module__": __name__, "__annotations__": hints, **attributes}
    return Registry.compose({"thing": type("Thing", (DotModel,), body)})


async def apply(connection: Any, difference: Difference, first: int = 1) -> list[Migration]:
    """The plan for a difference, written and run."""
    files = write_plan(difference, first)
    planned = [parse(int(name[:4]), name[5:-4], text) for name, text in files.items()]
    assert await migrate.apply(connection, planned) == planned
    return planned


async def restore(db: Database) -> None:
    """Make every default and computed column anew from the server's own words, as a dump has them."""
    expressions = await db.fetch(
        "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attgenerated <> '',"
        " pg_get_expr(d.adbin, d.adrelid)"
        " FROM pg_attrdef d JOIN pg_class c ON c.oid = d.adrelid"
        " JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum"
        " WHERE c.relnamespace = current_schema()::regnamespace"
    )
    for table, column, type_, is_computed, text in expressions:
        if is_computed:
            await db.execute(
                f'ALTER TABLE "{table}" DROP COLUMN "{column}",'
                f' ADD COLUMN "{column}" {type_} GENERATED ALWAYS AS ({text}) STORED'
            )
        else:
            await db.execute(f'ALTER TABLE "{table}" ALTER COLUMN "{column}" SET DEFAULT {text}')


def with_expression(sql: str, of: Any, **more: Any) -> Registry:
    return thing(
        size=Integer(),
        name=Char(max_length=20),
        data=JSONField(),
        moment=Datetime(),
        made=Computed(sql=sql, of=of),
        **more,
    )
