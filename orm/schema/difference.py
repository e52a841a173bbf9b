"""What a database lacks of the models, and which of it may be changed while the program starts. Pure.

Safe at start is what neither loses data nor holds a lock for longer than a moment: a whole new table; a
new column that may be null or has a constant default (PostgreSQL keeps it in the catalogue, no row is
touched), with its foreign key, which nothing can violate yet. Everything else waits for a migration that a
person looks at and applies (migrations.py): it is written the way that locks least, in two steps where
PostgreSQL offers them."""

from collections.abc import Iterable, Mapping

from orm.builder.text import quote
from orm.fields.base import Field
from orm.fields.computed import ComputedField
from orm.fields.relations import Many2manyField, Many2oneField
from orm.metadata import ModelMeta
from orm.schema import ddl
from orm.schema.catalogue import Catalogue, Column, Constraint
from orm.schema.changes import Change, Difference
from orm.schema.expressions import Outdated, is_constant
from orm.schema.index_changes import index_changes, index_notes
from orm.schema.names import foreign_key_name, unique_name
from orm.schema.rebuilding import Rebuilding, blockers

__all__ = ["Change", "Difference", "compare"]


def compare(
    models: Iterable[ModelMeta], catalogue: Catalogue, outdated: Outdated = frozenset()
) -> Difference:
    """The difference between `models` and what a database has. `outdated` are the columns whose default or
    expression is another one (expressions.py)."""
    difference = Difference()
    metas = list(models)
    difference.safe += ddl.create_tables(meta for meta in metas if meta.table not in catalogue.tables)
    difference.safe += ddl.create_links(metas, catalogue.tables)
    for meta in metas:
        if meta.table in catalogue.tables:
            _Table(meta, catalogue, outdated, difference).compare()
    for link in {link.table: link for meta in metas for link in meta.links}.values():
        if link.table in catalogue.tables:
            _compare_link(link, catalogue.tables[link.table], difference)
    return difference


def _compare_link(link: Many2manyField, there: Mapping[str, Column], difference: Difference) -> None:
    missing = [name for name in (link.column1, link.column2) if name not in there]
    others = [name for name in there if name not in (link.column1, link.column2)]
    if missing:
        rename = f"ALTER TABLE {quote(link.table)} RENAME COLUMN"
        statements = (
            [f"{rename} {quote(others[0])} TO {quote(missing[0])}"]
            if len(missing) == len(others) == 1
            else [f"-- {rename} ... TO {quote(name)}" for name in missing]
        )
        sentence = (
            f"{link.table} has no column {' and no '.join(missing)}, "
            f"which {link.model_name}.{link.name} names; it has {', '.join(there)}"
        )
        difference.changes.append(Change(sentence, tuple(statements)))


class _Table:
    """The comparison of one table that is there."""

    def __init__(
        self, meta: ModelMeta, catalogue: Catalogue, outdated: Outdated, difference: Difference
    ) -> None:
        self.meta = meta
        self.catalogue = catalogue
        self.outdated = outdated
        self.table = quote(meta.table)
        self.there = catalogue.tables[meta.table]
        self.names = catalogue.names
        self.constraints = catalogue.constraints
        self.difference = difference

    def compare(self) -> None:
        rebuilding = Rebuilding(self.meta, self.catalogue, self.outdated)
        added = [name for name in self.meta.columns if name not in self.there]
        for name in self.meta.columns:
            if name in self.there and self.there[name].is_computed and name not in self.meta.computed:
                self._no_longer_computed(self.meta.fields[name])
        self.difference.changes += rebuilding.before()
        for name in self.meta.columns:
            field = self.meta.fields[name]
            if isinstance(field, ComputedField):
                if name in self.there and not rebuilding.is_dropped(name):
                    self._required(field, self.there[name])
            elif name in added:
                self._add(field)
            else:
                self._type(field, self.there[name])
                self._default(field, self.there[name])
                self._required(field, self.there[name])
        self.difference.changes += rebuilding.behind()
        for name, column in self.there.items():
            if name not in self.meta.columns:
                self._unknown(name, column)
        self._foreign_keys(added)
        self._uniques()
        self.difference.changes += index_changes(self.meta, self.catalogue)
        self.difference.notes += index_notes(self.meta, self.catalogue)
        self._no_longer()

    def _change(
        self, sentence: str, *statements: str, is_needed: bool = True, outside_transaction: bool = False
    ) -> None:
        self.difference.changes.append(Change(sentence, statements, is_needed, outside_transaction))

    def _add(self, field: Field) -> None:
        where = f"{self.meta.table}.{field.name}"
        definition = f"ALTER TABLE {self.table} ADD COLUMN {ddl.column_definition(field)}"
        if field.nullable or field.has_literal_default:
            self.difference.safe.append(definition)
        else:
            column = quote(field.name)
            self._change(
                f"{where} is missing, and required without a constant default it cannot simply be added",
                f"ALTER TABLE {self.table} ADD COLUMN {column} {field.column_type}",
                f"-- give every row a value here: its {column} is null",
                *self._set_not_null(field.name),
            )

    def _no_longer_computed(self, field: Field) -> None:
        name, default = quote(field.name), ddl.column_default(field)
        self._change(
            f"{self.meta.table}.{field.name} is computed, {self.meta.name}.{field.name} is a plain field",
            f"ALTER TABLE {self.table} ALTER COLUMN {name} DROP EXPRESSION",
            *[f"ALTER TABLE {self.table} ALTER COLUMN {name} SET DEFAULT {default}"] * (default is not None),
        )

    def _type(self, field: Field, column: Column) -> None:
        wanted = ddl.catalogue_type(field)
        if column.type != wanted:
            name, default = quote(field.name), ddl.column_default(field)
            is_replaced = default is not None or is_constant(column.expression)
            steps = ["DROP DEFAULT"] * is_replaced  # the old one may be no value of the new type
            steps.append(f"TYPE {field.column_type} USING {name}::{field.column_type}")
            steps += [f"SET DEFAULT {default}"] * (default is not None)
            self._change(
                f"{self.meta.table}.{field.name} is {column.type}, "
                f"{self.meta.name}.{field.name} needs {wanted}",
                *blockers(self.catalogue, self.meta, field.name),
                f"ALTER TABLE {self.table} {', '.join(f'ALTER COLUMN {name} {step}' for step in steps)}",
            )

    def _default(self, field: Field, column: Column) -> None:
        """A default is looked at by statements that do not name the column: those that are written by hand,
        and old workers."""
        if (self.meta.table, field.name) in self.outdated:
            default, alter = ddl.column_default(field), f"ALTER TABLE {self.table} ALTER COLUMN"
            self._change(
                f"{self.meta.table}.{field.name} has the default {column.expression or 'null'}, "
                f"{self.meta.name}.{field.name} {default or 'null'}",
                f"{alter} {quote(field.name)} {f'SET DEFAULT {default}' if default else 'DROP DEFAULT'}",
                is_needed=False,
            )

    def _required(self, field: Field, column: Column) -> None:
        where = f"{self.meta.table}.{field.name}"
        if column.is_required and field.nullable:
            self._change(
                f"{where} may not be null, {self.meta.name}.{field.name} may",
                f"ALTER TABLE {self.table} ALTER COLUMN {quote(field.name)} DROP NOT NULL",
            )
        elif not column.is_required and not field.nullable and not isinstance(field, ComputedField):
            self._change(
                f"{where} may be null, {self.meta.name}.{field.name} may not",
                *self._set_not_null(field.name),
                is_needed=False,
            )

    def _unknown(self, name: str, column: Column) -> None:
        """A column of an older model stays: old workers may still write it, and what is dropped is
        gone."""
        if column.is_required and not column.has_default:
            self._change(
                f"{self.meta.table}.{name} is NOT NULL without a default, "
                f"and {self.meta.name} does not know it: no row could be created",
                f"ALTER TABLE {self.table} ALTER COLUMN {quote(name)} DROP NOT NULL",
            )

    def _set_not_null(self, name: str) -> tuple[str, ...]:
        """NOT NULL by way of a constraint that is checked under a lock which lets others read and
        write."""
        constraint, check = quote(f"{name}_is_given"), f"CHECK ({quote(name)} IS NOT NULL)"
        check = f"CHECK ({quote(name)} IS NOT NULL)"
        return (
            f"ALTER TABLE {self.table} ADD CONSTRAINT {constraint} {check} NOT VALID",
            f"ALTER TABLE {self.table} VALIDATE CONSTRAINT {constraint}",
            f"ALTER TABLE {self.table} ALTER COLUMN {quote(name)} SET NOT NULL",
            f"ALTER TABLE {self.table} DROP CONSTRAINT {constraint}",
        )

    def _foreign_keys(self, added: list[str]) -> None:
        for name, text in zip(self.meta.foreign_keys, ddl.foreign_keys(self.meta), strict=True):
            constraint = foreign_key_name(self.meta.table, name)
            if constraint in self.constraints:
                self._reference(name, text, constraint)
            if constraint in self.names:
                continue
            if name in added and self.meta.fields[name].nullable:
                self.difference.safe.append(text)
            else:
                self._change(
                    f"{self.meta.table}.{name} has no foreign key",
                    f"{text} NOT VALID",
                    f"ALTER TABLE {self.table} VALIDATE CONSTRAINT {quote(constraint)}",
                    is_needed=False,
                )

    def _reference(self, name: str, text: str, constraint: str) -> None:
        field, there = self.meta.fields[name], self.constraints[constraint]
        assert isinstance(field, Many2oneField)
        target = self.meta.targets[name].table
        if (there.target, there.ondelete) != (target, field.ondelete):
            self._change(
                f"{self.meta.table}.{name} refers to {there.target} (on delete {there.ondelete or 'none'}), "
                f"{self.meta.name}.{name} to {target} (on delete {field.ondelete})",
                f"ALTER TABLE {self.table} DROP CONSTRAINT {quote(constraint)}",
                f"{text} NOT VALID",
                f"ALTER TABLE {self.table} VALIDATE CONSTRAINT {quote(constraint)}",
                is_needed=there.target != target,
            )

    def _no_longer(self) -> None:
        """Constraints of an older model that refuse what this one allows. Those that somebody made by hand,
        and so under other names, are his."""
        for name, there in self.constraints.items():
            if there.table == self.meta.table and self._is_left_over(name, there):
                kind = "unique" if there.target is None else "foreign key"
                self._change(
                    f"{there.table} has a {kind} constraint on {', '.join(there.columns)} that "
                    f"{self.meta.name} no longer has",
                    f"ALTER TABLE {self.table} DROP CONSTRAINT {quote(name)}",
                    is_needed=False,
                )

    def _is_left_over(self, name: str, there: Constraint) -> bool:
        if not set(there.columns) <= set(self.meta.columns):
            return False
        if there.target is None:
            return name == unique_name(there.table, there.columns) and there.columns not in self.meta.uniques
        column = there.columns[0]
        return name == foreign_key_name(there.table, column) and column not in self.meta.foreign_keys

    def _uniques(self) -> None:
        for names in self.meta.uniques:
            constraint = unique_name(self.meta.table, names)
            if constraint not in self.names:
                columns = ", ".join(quote(name) for name in names)
                self._change(
                    f"{self.meta.table} has no unique constraint on {', '.join(names)}",
                    f"CREATE UNIQUE INDEX CONCURRENTLY {quote(constraint)} ON {self.table} ({columns})",
                    f"ALTER TABLE {self.table} ADD CONSTRAINT {quote(constraint)} "
                    f"UNIQUE USING INDEX {quote(constraint)}",
                    outside_transaction=True,
                )
