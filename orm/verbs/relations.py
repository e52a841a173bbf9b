"""Writing a row together with the rows that hang on it, all in one transaction, the asker's rights asked
at every node.

    await author.update(books={"create": [{"title": "New"}], "update": [{"id": 3, "pages": 90}]})
    await book.update(tags={"set": [1, 2]})

`link` and `unlink` join rows that exist, `set` makes them the only ones; `create`, `update` and `delete`
are those verbs on the rows themselves. For a one-to-many relation linking writes the other row's
reference, for a many-to-many one the link table: to link a row one must be able to read it. They run in
the order set, unlink, link, create, update, delete."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from orm.access import Operation
from orm.builder import link as build
from orm.builder.select import ids_of, ids_that_pass
from orm.errors import AccessDenied, Place, Problem, RecordNotFound, ValidationError
from orm.fields.relations import Many2manyField, One2manyField, ToManyField
from orm.metadata import ModelMeta
from orm.refusals import hidden_field
from orm.verbs.payload import below, checked, has_relations, with_defaults
from orm.verbs.row import delete_by_id, insert_columns, update_columns
from orm.verbs.scope import Scope

COMMANDS: Final = ("set", "unlink", "link", "create", "update", "delete")

MAX_ROWS: Final = 1000
"""Rows in one command: each that is written costs a statement or two."""

MAX_DEPTH: Final = 10


async def insert_whole(
    scope: Scope, given: Mapping[str, Any], returning: Sequence[str], *, depth: int = 0
) -> Any:
    """The new row as the driver gives it, written with what hangs on it."""
    meta = scope.meta
    if not has_relations(meta, given):
        return await insert_columns(scope, with_defaults(meta, checked(meta, given, scope.grant)), returning)
    own, related = _split(scope, given, depth)
    columns = with_defaults(meta, checked(meta, own, scope.grant))
    async with scope.db.transaction():
        row = await insert_columns(scope, columns, returning)
        await _write_all(scope, row["id"], related, depth)
    return row


async def update_whole(
    scope: Scope, id: int, given: Mapping[str, Any], returning: Sequence[str], *, depth: int = 0
) -> Any:
    """The changed row as the driver gives it, written with what hangs on it."""
    meta = scope.meta
    if not has_relations(meta, given):
        return await update_columns(scope, id, checked(meta, given, scope.grant), returning)
    own, related = _split(scope, given, depth)
    columns = checked(meta, own, scope.grant)
    async with scope.db.transaction():
        # First, and also where no column changes: whoever may not change this row may not change what
        # hangs on it.
        row = await update_columns(scope, id, columns, returning)
        await _write_all(scope, id, related, depth)
    return row


def _split(
    scope: Scope, given: Mapping[str, Any], depth: int
) -> tuple[dict[str, Any], dict[str, Mapping[str, Any]]]:
    """The columns of `given`, and its relations with their commands checked for form."""
    own = dict(given)
    related: dict[str, Mapping[str, Any]] = {}
    for name in [name for name in given if name in scope.meta.to_many]:
        if name in scope.grant.hidden:
            raise hidden_field(scope.meta, name, f"/{name}")
        commands = own.pop(name)
        if depth >= MAX_DEPTH:
            raise _invalid(f"/{name}", "too_deep", f"rows are nested deeper than {MAX_DEPTH} levels")
        if not isinstance(commands, Mapping):
            raise _invalid(f"/{name}", "type", f"a relation is written by commands: {', '.join(COMMANDS)}")
        for command, rows in commands.items():
            place = f"/{name}/{command}"
            if command not in COMMANDS:
                raise _invalid(place, "unknown_command", f"there are {', '.join(COMMANDS)}")
            if not isinstance(rows, list | tuple):
                raise _invalid(place, "type", f"{command} takes a list")
            if len(rows) > MAX_ROWS:
                raise _invalid(place, "too_many", f"{command} takes at most {MAX_ROWS} rows")
        related[name] = commands
    return own, related


async def _write_all(scope: Scope, id: int, related: Mapping[str, Mapping[str, Any]], depth: int) -> None:
    for name, commands in related.items():
        field = scope.meta.fields[name]
        relation: _Relation
        if isinstance(field, Many2manyField):
            relation = _Linked(scope, field, id, depth)
        else:
            assert isinstance(field, One2manyField)
            relation = _Owned(scope, field, id, depth)
        for command in COMMANDS:
            if command in commands:  # also with an empty list: to set none is to unlink all
                await relation.run(command, commands[command])


class _Relation(ABC):
    """The rows that hang on one row by one relation, while they are written."""

    def __init__(self, scope: Scope, field: ToManyField, id: int, depth: int) -> None:
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
                await self._at(f"{pointer}/{index}", self.create, _mapping(values, f"{pointer}/{index}"))
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
        changes = [dict(_mapping(row, f"{pointer}/{index}")) for index, row in enumerate(rows)]
        ids = [_id(change.pop("id", None), f"{pointer}/{index}/id") for index, change in enumerate(changes)]
        await self._at(pointer, self.expect_present, ids)
        for index, (row_id, change) in enumerate(zip(ids, changes, strict=True)):
            await self._at(f"{pointer}/{index}", self.change, (row_id, change))

    def _named(self, row: Any, pointer: str) -> int:
        """The id of a row that is named by it or by a record."""
        table = getattr(type(row), "__table__", self.target.table)
        if table != self.target.table:
            raise _invalid(pointer, "type", f"a row of {self.target.table!r}, not a record of {table!r}")
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
        await update_whole(self.to("update"), row_id, values, ("id",), depth=self.depth + 1)

    async def delete(self, ids: Sequence[int]) -> None:
        """Remove rows that hang here."""
        await self.expect_present(ids)
        scope = self.to("delete")
        for row_id in ids:
            await delete_by_id(scope, row_id)

    @abstractmethod
    async def present(self) -> set[int]:
        """The ids of the rows that hang here."""

    async def visible(self, ids: Iterable[int]) -> set[int]:
        """Those of `ids` that the asker may read. What he cannot see he neither links nor, by `set`,
        throws out."""
        scope = self.to("read")
        rule = scope.rule
        text = scope.registry.texts.get(
            ("ids that pass", self.target.table, rule), lambda: ids_that_pass(self.target, rule)
        )
        return {row[0] for row in await self.db.run(text, [list(ids), *scope.rule_values])}

    async def expect_present(self, ids: Sequence[int]) -> None:
        """Raise RecordNotFound unless all these rows hang here."""
        self._expect(ids, await self.present())

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
            raise _invalid(f"/{inverse}", "given", f"{inverse} is given by the relation; leave it out")
        whole = {**values, inverse: self.id}
        await insert_whole(self.to("create"), whole, ("id",), depth=self.depth + 1)

    async def present(self) -> set[int]:
        rows = await self.db.run(ids_of(self.target, self.field.inverse), [self.id])
        return {row[0] for row in rows}

    async def link(self, ids: Sequence[int]) -> None:
        """Make these rows refer here."""
        await self._refer(ids, self.id)

    async def unlink(self, ids: Sequence[int]) -> None:
        """Make these rows refer nowhere."""
        inverse = self.target.fields[self.field.inverse]
        if ids and not inverse.nullable:
            sentence = f"{self.target.name}.{inverse.name} is required: delete the row, or link it elsewhere"
            raise _invalid("", "required", sentence)
        await self.expect_present(ids)
        await self._refer(ids, None)

    async def set(self, ids: Sequence[int]) -> None:
        """Make these rows, and no others, refer here."""
        there = await self.visible(await self.present())
        await self.unlink(sorted(there.difference(ids)))
        await self.link([row_id for row_id in ids if row_id not in there])

    async def _refer(self, ids: Sequence[int], to: int | None) -> None:
        scope = self.to("update") if ids else None
        for index, row_id in enumerate(ids):
            assert scope is not None
            columns = checked(self.target, {self.field.inverse: to}, scope.grant)
            try:
                await update_columns(scope, row_id, columns, ("id",))
            except (RecordNotFound, AccessDenied) as problem:
                problem.errors = (Place(f"/{index}", problem.code, problem.detail),)
                raise


class _Linked(_Relation):
    """Many-to-many: a link table joins the rows."""

    field: Many2manyField

    async def create(self, values: Mapping[str, Any]) -> None:
        row = await insert_whole(self.to("create"), values, ("id",), depth=self.depth + 1)
        await self.db.run(build.add(self.field), [self.id, [row["id"]]])

    async def present(self) -> set[int]:
        return {row[0] for row in await self.db.run(build.linked(self.field), [self.id])}

    async def link(self, ids: Sequence[int]) -> None:
        """Link rows that the asker may read."""
        if not ids:
            return
        self._expect(ids, await self.visible(ids))
        await self.db.run(build.add(self.field), [self.id, list(ids)])

    async def unlink(self, ids: Sequence[int]) -> None:
        """Take these links away; one that is not there is no error: the end is the same."""
        await self.db.run(build.remove(self.field), [self.id, list(ids)])

    async def set(self, ids: Sequence[int]) -> None:
        """Link these rows and no others."""
        there = await self.visible(await self.present())
        await self.unlink(sorted(there.difference(ids)))
        await self.link([row_id for row_id in ids if row_id not in there])


def _id(value: Any, pointer: str) -> int:
    row_id = getattr(value, "id", value)
    if not isinstance(row_id, int) or isinstance(row_id, bool) or not -(2**63) <= row_id < 2**63:
        raise _invalid(pointer, "type", "a row is named by its id")
    return row_id


def _mapping(value: Any, pointer: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _invalid(pointer, "type", "a row is an object of its fields")
    return value


def _invalid(pointer: str, code: str, sentence: str) -> ValidationError:
    return ValidationError(sentence, errors=(Place(pointer, code, sentence),))
