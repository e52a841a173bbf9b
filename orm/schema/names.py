"""The names of constraints and indexes, the same for every database, so that a violated one can be traced
to its field."""

import hashlib
from collections.abc import Sequence
from typing import Final

LONGEST = 63

INDEX_MARK: Final = "starling made it for a model"
"""The comment on an index that is ours to drop once no model declares it. The name alone does not tell: an
index that a person makes without naming it gets from PostgreSQL the very name that we give."""


def unique_name(table: str, columns: Sequence[str]) -> str:
    """The unique constraint over `columns`."""
    return _fitted(f"{table}_{'_'.join(columns)}_key")


def foreign_key_name(table: str, column: str) -> str:
    """The foreign key of `column`."""
    return _fitted(f"{table}_{column}_fkey")


def index_name(table: str, columns: Sequence[str]) -> str:
    """The index over `columns`, a leading minus (descending) left out of the name."""
    return _fitted(f"{table}_{'_'.join(column.removeprefix('-') for column in columns)}_idx")


def partial_index_name(table: str, columns: Sequence[str], condition: str, *, unique: bool) -> str:
    """The index over `columns` of the rows that pass `condition`: with another condition it is another
    index."""
    digest = hashlib.sha256(condition.encode()).hexdigest()[:8]
    names = "_".join(column.removeprefix("-") for column in columns)
    return _fitted(f"{table}_{names}_{digest}_{'key' if unique else 'idx'}")


def successor_name(index: str) -> str:
    """What takes the place of `index`, until it has its name."""
    return _fitted(f"{index}_new")


def _fitted(name: str) -> str:
    """`name`, or where PostgreSQL would cut it off (63 bytes), its beginning and a digest of the whole."""
    if len(name) <= LONGEST:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:10]
    return f"{name[: LONGEST - 11]}_{digest}"
