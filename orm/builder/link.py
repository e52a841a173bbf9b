"""The rows of a link table: which there are, adding some, taking some away. `$1` is the id of the row that
they hang on."""

from orm.builder.text import quote
from orm.fields.relations import Many2manyField


def linked(link: Many2manyField) -> str:
    """The ids on the other side."""
    return f"SELECT {quote(link.column2)} FROM {quote(link.table)} WHERE {quote(link.column1)} = $1::bigint"


def add(link: Many2manyField) -> str:
    """Link the ids `$2`; those that are linked already stay so."""
    return (
        f"INSERT INTO {quote(link.table)} ({quote(link.column1)}, {quote(link.column2)}) "
        "SELECT $1::bigint, unnest($2::bigint[]) ON CONFLICT DO NOTHING"
    )


def remove(link: Many2manyField) -> str:
    """Take away the links to the ids `$2`."""
    return (
        f"DELETE FROM {quote(link.table)} "
        f"WHERE {quote(link.column1)} = $1::bigint AND {quote(link.column2)} = ANY($2::bigint[])"
    )
