"""Indexes that a database lacks, has in another form, or has of an older model. Pure.

Only an index that bears our mark is ever dropped: one that somebody made by hand is his, whatever its name,
and PostgreSQL gives an index without a name the one that we would give it. Where such an index stands in the
way, that is only said."""

from collections.abc import Iterator
from itertools import chain

from orm.builder.text import quote
from orm.metadata import ModelMeta
from orm.schema.catalogue import Catalogue, IndexThere
from orm.schema.changes import Change
from orm.schema.indexes import NamedIndex, named_indexes
from orm.schema.names import index_name, successor_name


def index_changes(meta: ModelMeta, catalogue: Catalogue) -> Iterator[Change]:
    """What is to be built first, and then what is to be dropped, so that no search is ever without."""
    left_over = _undeclared(meta, catalogue)
    yield from chain.from_iterable(_declared(index, catalogue) for index in named_indexes(meta))
    for name, index in left_over.items():
        if index.is_ours:
            yield _change(
                f"{meta.table} has an index {name} that {meta.name} no longer has",
                f"DROP INDEX CONCURRENTLY IF EXISTS {quote(name)}",
            )


def index_notes(meta: ModelMeta, catalogue: Catalogue) -> Iterator[str]:
    """What a person may want to know of indexes that are perhaps not ours."""
    for index in named_indexes(meta):
        there = catalogue.indexes.get(index.name)
        if index.name in catalogue.names and not is_as_declared(index, there) and not _is_ours(there):
            yield (
                f"{meta.table} has another index under the name of the {index.description}, {index.name}, "
                "which may be made by hand: drop it or give it another name, and the next plan makes ours"
            )
    for name, there in _undeclared(meta, catalogue).items():
        if not there.is_ours and there.columns is not None and name == index_name(meta.table, there.columns):
            yield (
                f"{meta.table} has an index {name} that {meta.name} does not declare; it may be made by "
                "hand, so that no plan drops it"
            )


def is_as_declared(index: NamedIndex, there: IndexThere | None) -> bool:
    """Whether an index is what its name promises. Another condition has another name."""
    wanted = (index.table, index.columns, index.is_unique, bool(index.condition))
    return there is not None and wanted == (there.table, there.columns, there.is_unique, there.is_partial)


def _undeclared(meta: ModelMeta, catalogue: Catalogue) -> dict[str, IndexThere]:
    """The indexes on this table that the model has the columns for and does not declare. One on a column of
    an older model stays with it."""
    declared = {index.name for index in named_indexes(meta)}
    return {
        name: there
        for name, there in catalogue.indexes.items()
        if there.table == meta.table
        and name not in declared
        and {column.removeprefix("-") for column in there.columns or ()} <= set(meta.columns)
    }


def _declared(index: NamedIndex, catalogue: Catalogue) -> Iterator[Change]:
    if index.name not in catalogue.names:
        yield _change(index.sentence, index.create(concurrently=True), index.mark, is_needed=index.is_unique)
        return
    there = catalogue.indexes.get(index.name)
    if there is not None and there.is_ours and not is_as_declared(index, there):
        successor = index.renamed(successor_name(index.name))
        has = ", ".join(there.columns) if there.columns is not None else "something else"
        yield _change(
            f"{index.table} has the index {index.name} on {has}, the model on {', '.join(index.columns)}",
            successor.create(concurrently=True),
            successor.mark,
            f"DROP INDEX CONCURRENTLY IF EXISTS {quote(index.name)}",
            f"ALTER INDEX {quote(successor.name)} RENAME TO {quote(index.name)}",
            is_needed=index.is_unique and not there.is_unique,
        )


def _is_ours(there: IndexThere | None) -> bool:
    return there is not None and there.is_ours


def _change(sentence: str, *statements: str, is_needed: bool = False) -> Change:
    return Change(sentence, statements, is_needed, outside_transaction=True)
