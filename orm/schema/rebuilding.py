"""Changes of computed columns: in their place where the server can (17 and newer), otherwise dropped and made
again, with what stands on them. Pure.

Either way every row is written anew while nobody else uses the table. PostgreSQL drops the indexes and the
constraints of a column with it. What keeps rows apart is made again in the same transaction, other indexes
behind it, beside running work. A column that another is computed from cannot change its type: the computed
one is dropped before that and made again behind it.

Another expression alone keeps no program from starting: while a release is rolled out, or back, the old one
and the new one run on the same columns."""

from collections.abc import Iterator
from typing import Final

from orm.builder.text import quote
from orm.fields.computed import ComputedField
from orm.metadata import ModelMeta
from orm.schema import ddl
from orm.schema.catalogue import Catalogue, Dependent
from orm.schema.changes import Change
from orm.schema.expressions import Outdated
from orm.schema.indexes import mark

SETS_EXPRESSIONS: Final = 17
"""The first version that changes an expression in its place, with what stands on the column."""


class Rebuilding:
    """The computed columns of one table that are to be made anew."""

    def __init__(self, meta: ModelMeta, catalogue: Catalogue, outdated: Outdated) -> None:
        self._meta = meta
        self._table = quote(meta.table)
        self._there = catalogue.tables[meta.table]
        self._catalogue = catalogue
        both = [name for name in meta.recomputed if name in self._there and self._there[name].is_computed]
        self._changed = [name for name in both if (meta.table, name) in outdated]
        self._retyped = [name for name in both if self._is_retyped(name)]
        self._moved = [name for name in meta.columns if self._is_plain(name) and self._is_retyped(name)]
        standing = {one.name for name in self._moved for one in self._on(name) if one.kind == "computed"}
        self._shaken = [name for name in both if name in standing]
        self._in_place = catalogue.server >= SETS_EXPRESSIONS
        replaced = [name for name in meta.recomputed if name in self._there and name not in both]
        self._dropped = [*replaced, *(name for name in both if self._is_made_again(name))]

    def _is_plain(self, name: str) -> bool:
        return name in self._there and not self._there[name].is_computed and name not in self._meta.computed

    def _is_retyped(self, name: str) -> bool:
        return self._there[name].type != ddl.catalogue_type(self._meta.fields[name])

    def _is_made_again(self, name: str) -> bool:
        is_changed = name in self._changed and not self._in_place
        return is_changed or name in self._retyped or name in self._shaken

    def is_dropped(self, name: str) -> bool:
        """Whether a column is made again from the beginning."""
        return name in self._dropped

    def _on(self, name: str) -> tuple[Dependent, ...]:
        return self._catalogue.dependents.get((self._meta.table, name), ())

    def before(self) -> Iterator[Change]:
        """What goes before the types of plain columns are changed."""
        for name in self._shaken:
            yield Change(
                f"{self._meta.table}.{name} is computed from a column whose type changes: it is made anew",
                self._drop(name),
            )

    def behind(self) -> Iterator[Change]:
        """What comes once plain columns are as they should be."""
        for name in self._meta.recomputed:
            if name not in self._there:
                where = f"{self._meta.table}.{name}"
                yield Change(f"{where} is missing, and computing it rewrites every row", (self._add(name),))
            elif name in self._dropped:
                drop = () if name in self._shaken else self._drop(name)
                is_needed = self._is_retyped(name) or not self._there[name].is_computed
                yield Change(self._sentence(name), (*drop, self._add(name)), is_needed=is_needed)
            elif name in self._changed:
                set_ = f"ALTER TABLE {self._table} ALTER COLUMN {quote(name)} SET EXPRESSION"
                comment = f"-- PostgreSQL {SETS_EXPRESSIONS} or newer"
                set_ += f" AS ({self._field(name).sql})"
                yield Change(self._sentence(name), (comment, set_), is_needed=False)
        yield from self._made_again()

    def _sentence(self, name: str) -> str:
        where, theirs = f"{self._meta.table}.{name}", f"{self._meta.name}.{name}"
        there = self._there[name]
        if not there.is_computed:
            return f"{where} is plain, {theirs} is computed: what it holds is lost"
        if name in self._changed:
            declared = " ".join(self._field(name).sql.split())
            return (
                f"{where} is computed as {there.expression}, {theirs} as {declared}: "
                "changing it rewrites every row"
            )
        if name in self._retyped:
            wanted = ddl.catalogue_type(self._meta.fields[name])
            return f"{where} is {there.type}, {theirs} needs {wanted}"
        return f"{where} is computed again, as it was"

    def _field(self, name: str) -> ComputedField:
        field = self._meta.fields[name]
        assert isinstance(field, ComputedField)
        return field

    def _add(self, name: str) -> str:
        return f"ALTER TABLE {self._table} ADD COLUMN {ddl.column_definition(self._meta.fields[name])}"

    def _drop(self, name: str) -> tuple[str, ...]:
        drop = f"ALTER TABLE {self._table} DROP COLUMN {quote(name)}"
        return *blockers(self._catalogue, self._meta, name), drop

    def _made_again(self) -> Iterator[Change]:
        """What went with the columns that were dropped, by the server's own definitions."""
        gone = {one.name: one for name in self._dropped for one in self._on(name)}.values()
        constraints = [one for one in gone if one.kind == "constraint"]
        indexes = [one for one in gone if one.kind == "index"]
        names = ", ".join(self._dropped)
        at_once = [
            f"ALTER TABLE {self._table} ADD CONSTRAINT {_quoted(one)} {one.definition}" for one in constraints
        ]
        at_once += [text for one in indexes if one.is_unique for text in _built(one)]
        if at_once:
            sentence = f"{self._meta.table}: what keeps rows apart by {names} goes with it, and is made again"
            yield Change(sentence, tuple(at_once))
        for one in indexes:
            if not one.is_unique:
                sentence = f"{self._meta.table}: the index {one.name} goes with {names}, and is made again"
                yield Change(
                    sentence, _built(one, concurrently=True), is_needed=False, outside_transaction=True
                )


def blockers(catalogue: Catalogue, meta: ModelMeta, name: str) -> Iterator[str]:
    """What keeps a column as it is and is not ours to make again, each as a comment for whoever looks at the
    plan."""
    for one in catalogue.dependents.get((meta.table, name), ()):
        if one.kind == "other" or (one.kind == "computed" and one.name not in meta.recomputed):
            what = " ".join(one.name.split()) if one.kind == "other" else f"column {one.name}"
            yield f"-- {what} stands on it: drop that before, and make it again behind"


def _quoted(one: Dependent) -> str:
    # made by hand, it may be called anything
    return quote(one.name.replace('"', '""'))


def _built(one: Dependent, *, concurrently: bool = False) -> tuple[str, ...]:
    text = one.definition
    if concurrently:
        text = text.replace(" INDEX ", " INDEX CONCURRENTLY ", 1)
    return (text, mark(one.name)) if one.is_ours else (text,)
