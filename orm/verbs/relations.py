"""Writing the rows that hang on a row, in its transaction, the asker's rights asked at every node.

    await author.update(books={"create": [{"title": "New"}], "update": [{"id": 3, "pages": 90}]})
    await book.update(tags={"set": [1, 2]})

`link` and `unlink` join rows that exist, `set` makes them the only ones; `create`, `update` and `delete`
are those verbs on the rows themselves. For a one-to-many relation linking writes the other row's
reference, for a many-to-many one the link table: to link a row one must be able to read it. They run in
the order set, unlink, link, create, update, delete."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, Protocol

from orm.access import Operation
from orm.builder import link as build
from orm.builder.select import ids_of, ids_that_pass
from orm.errors import AccessDenied, Place, Problem, RecordNotFound
from orm.fields.numbers import is_id
from orm.fields.relations import Many2manyField, One2manyField, ToManyField
from orm.filters.parse import EVERYTHING
from orm.metadata import ModelMeta
from orm.verbs.payload import NO_NAMES, below, given_record, invalid_at, unwritten
from orm.verbs.scope import Scope

COMMANDS: Final = ("set", "unlink", "link", "create", "update", "delete")

MAX_ROWS: Final = 1000
"""Rows in one command: each that is written costs a statement or two."""

MAX_DEPTH: Final = 10


class RowWriter(Protocol):
    """Writes one row with everything about it, hooks included: what a relation asks of the verbs.

    `ours`: see payload.checked; `depth` is how many relations lead to the row."""

    async def insert(
        self, scope: Scope, given: Mapping[str, Any], depth: int, *, ours: frozenset[str] = NO_NAMES
    ) -> int:
        """The id of the new row."""

    async def update(
        self, scope: Scope, id: int, given: Mapping[str, Any], depth: int, *, ours: frozenset[str] = NO_NAMES
    ) -> None:
        """The row is changed."""

    async def delete(self, scope: Scope, id: int) -> None:
        """The row is gone."""


async def write_relations(
    writer: RowWriter, scope: Scope, id: int, related: Mapping[str, Mapping[str, Any]], depth: int
) -> None:
    """Run the commands of `related`, as `split` gives them, on what hangs on the row `id`."""
    for name, commands in related.items():
        field = scope.meta.fields[name]
        relation: _Relation
        if isinstance(field, Many2manyField):
            relation = _Linked(writer, scope, field, id, depth)
        else:
            assert isinstance(field, One2manyField)
            relation = _Owned(writer, scope, field, id, depth)
        for command in COMMANDS:
            if command in commands:  # also with an empty list: to set none is to unlink all
                await relation.run(command, commands[command])


class _Relation(ABC):
    """The rows that hang on one row by one relation, while they are written."""

    def __init__(self, writer: RowWriter, scope: Scope, field: ToManyField, id: int, depth: int) -> None:
        self.writer = writer
        self.scope = scope
        self.db = scope.db
        self.field = field
        self.id = id
        self.depth = depth
        self.target: ModelMeta = scope.meta.targets[field.name]

    async def run(self, command: str, rows: Sequence[Any]) -> None:
        """One command over its rows."""
        pointer = f"/{self.field.name}/{command}"
        if command == "create":
            for index, values in enumerate(rows):
                await self._at(f"{pointer}/{index}", self.create, self._values(values, f"{pointer}/{index}"))
        elif command == "update":
            await self._update_all(rows, pointer)
        else:
            ids = [self._named(row, f"{pointer}/{index}") for index, row in enumerate(rows)]
            await self._at(pointer, getattr(self, command), ids)

    async def _at(self, pointer: str, verb: Any, argument: Any) -> None:
        """Run a verb; what is wrong with its part of the input gets its place in the whole."""
        try:
            await verb(argument)
        except Problem as problem:
            problem.errors = below(pointer, problem)
            raise

    async def _update_all(self, rows: Sequence[Any], pointer: str) -> None:
        changes = [dict(self._values(row, f"{pointer}/{index}")) for index, row in enumerate(rows)]
        ids = [_id(change.pop("id", None), f"{pointer}/{index}/id") for index, change in enumerate(changes)]
        if ids:
            self.to("update")  # who may not is told so whether there is such a row or not
        await self._at(pointer, self.expect_present, ids)
        for index, (row_id, change) in enumerate(zip(ids, changes, strict=True)):
            await self._at(f"{pointer}/{index}", self.change, (row_id, change))

    def _values(self, row: Any, pointer: str) -> Mapping[str, Any]:
        """The values of a row that is given as an object of its fields or as a record."""
        if isinstance(row, Mapping):
            return row
        if getattr(type(row), "__table__", None) != self.target.table:
            raise invalid_at(pointer, "type", "a row is an object of its fields")
        return given_record(self.target, row)

    def _named(self, row: Any, pointer: str) -> int:
        """The id of a row that is named by it or by a record."""
        table = getattr(type(row), "__table__", self.target.table)
        if table != self.target.table:
            raise invalid_at(pointer, "type", f"a row of {self.target.table!r}, not a record of {table!r}")
        return _id(row, pointer)

    def to(self, operation: Operation) -> Scope:
        """The asker's view of the other model. Raises AccessDenied."""
        return Scope(self.target.cls, operation, api=self.scope.api)

    @abstractmethod
    async def create(self, values: Mapping[str, Any]) -> None:
        """A new row that hangs here."""

    async def change(self, change: tuple[int, Mapping[str, Any]]) -> None:
        """Change a row that hangs here."""
        row_id, values = change
        await self.writer.update(self.to("update"), row_id, values, self.depth + 1)

    async def delete(self, ids: Sequence[int]) -> None:
        """Remove rows that hang here."""
        if not ids:
            return
        scope = self.to("delete")
        await self.expect_present(ids)
        for row_id in ids:
            await self.writer.delete(scope, row_id)

    @abstractmethod
    async def present(self) -> set[int]:
        """The ids of the rows that hang here."""

    async def visible(self, ids: Collection[int]) -> set[int]:
        """Those of `ids` that the asker may read. What he cannot see he neither links nor, by `set`,
        throws out."""
        scope = self.to("read")
        rule = scope.rule
        if not ids:
            return set()
        texts, key = scope.registry.texts, ("ids that pass", self.target.table, rule)
        text = texts.get(key) or texts.put(key, ids_that_pass(self.target, rule))
        return {row[0] for row in await self.db.run(text, [list(ids), *scope.rule_values])}

    async def expect_present(self, ids: Sequence[int]) -> None:
        """Raise RecordNotFound unless all these rows hang here, and for a client of the API may be read."""
        self._expect(ids, await self.found(ids))

    async def found(self, ids: Sequence[int]) -> set[int]:
        """The rows that hang here, of which a client of the API is told those of `ids` that may be read."""
        there = await self.present()
        return await self.visible(there.intersection(ids)) if self.scope.api else there

    def _expect(self, ids: Sequence[int], found: set[int]) -> None:
        for index, row_id in enumerate(ids):
            if row_id not in found:
                sentence = f"there is no {self.target.name} {row_id} here"
                raise RecordNotFound(sentence, errors=[Place(f"/{index}", "not_found", sentence)])


class _Owned(_Relation):
    """One-to-many: the other rows refer to this one."""

    field: One2manyField

    async def create(self, values: Mapping[str, Any]) -> None:
        inverse = self.field.inverse
        if inverse in values:
            raise invalid_at(f"/{inverse}", "given", f"{inverse} is given by the relation; leave it out")
        scope = self.to("create")
        self._check_inverse(scope)
        whole = {**values, inverse: self.id}
        await self.writer.insert(scope, whole, self.depth + 1, ours=frozenset((inverse,)))

    async def present(self) -> set[int]:
        rows = await self.db.run(ids_of(self.target, self.field.inverse), [self.id])
        return {row[0] for row in rows}

    async def link(self, ids: Sequence[int]) -> None:
        """Make these rows refer here."""
        await self._refer(ids, self.id)

    async def unlink(self, ids: Sequence[int]) -> None:
        """Make these rows refer nowhere; as with links, one that does not refer here is no error."""
        inverse = self.target.fields[self.field.inverse]
        if ids and not inverse.nullable:
            sentence = f"{self.target.name}.{inverse.name} is required: delete the row, or link it elsewhere"
            raise invalid_at("", "required", sentence)
        if ids:
            self.to("update")
            await self._refer(ids, None, among=await self.found(ids))

    async def set(self, ids: Sequence[int]) -> None:
        """Make these rows, and no others, refer here."""
        there = await self.visible(await self.present())
        await self.unlink(sorted(there.difference(ids)))
        await self.link([row_id for row_id in ids if row_id not in there])

    async def _refer(
        self, ids: Sequence[int], to: int | None, *, among: Collection[int] | None = None
    ) -> None:
        if not ids:
            return
        inverse = self.field.inverse
        scope = self.to("update")
        self._check_inverse(scope)
        for index, row_id in enumerate(ids):
            if among is not None and row_id not in among:
                continue
            try:
                await self.writer.update(
                    scope, row_id, {inverse: to}, self.depth + 1, ours=frozenset((inverse,))
                )
            except (RecordNotFound, AccessDenied) as problem:
                problem.errors = (Place(f"/{index}", problem.code, problem.detail),)
                raise

    def _check_inverse(self, scope: Scope) -> None:
        """Raise AccessDenied when the asker may not write the reference. One that is readonly may be: it is
        the relation that says whether it can be written."""
        if self.field.inverse in scope.grant.hidden:
            unwritten(scope, self.field.inverse)


class _Linked(_Relation):
    """Many-to-many: a link table joins the rows."""

    field: Many2manyField

    async def create(self, values: Mapping[str, Any]) -> None:
        row_id = await self.writer.insert(self.to("create"), values, self.depth + 1)
        await self._write(build.add(self.field), [row_id])

    async def present(self) -> set[int]:
        return {row[0] for row in await self.db.run(build.linked(self.field), [self.id])}

    async def link(self, ids: Sequence[int]) -> None:
        """Link rows that the asker may read."""
        if not ids:
            return
        self._expect(ids, await self.visible(ids))
        await self._write(build.add(self.field), ids)

    async def unlink(self, ids: Sequence[int]) -> None:
        """Take these links away; one that is not there is no error: the end is the same. A row that the
        asker may not read is as one that is not linked."""
        if ids and self.to("read").rule != EVERYTHING:
            ids = sorted(await self.visible(ids))
        await self._write(build.remove(self.field), ids)

    async def set(self, ids: Sequence[int]) -> None:
        """Link these rows and no others."""
        there = await self.visible(await self.present())
        await self._write(build.remove(self.field), sorted(there.difference(ids)))
        await self.link([row_id for row_id in ids if row_id not in there])

    async def _write(self, text: str, ids: Sequence[int]) -> None:
        """Change the link table, whose rows belong to both models."""
        if self.scope.meta.audit or self.target.audit:
            await self.db.announce()
        await self.db.run(text, [self.id, list(ids)])


def _id(value: Any, pointer: str) -> int:
    row_id = getattr(value, "id", value)
    if not is_id(row_id):
        raise invalid_at(pointer, "type", "a row is named by its id")
    return int(row_id)
