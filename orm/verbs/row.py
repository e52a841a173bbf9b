"""Writing rows, their columns only: the statements behind create, update and delete."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from orm.builder import select as build_select
from orm.builder import write as build
from orm.errors import AccessDenied, Problem, RecordNotFound, StaleRow
from orm.filters.parse import EVERYTHING, BoundFilter, Shape
from orm.filters.render import SAME_VERSION, columns_of
from orm.verbs.read import BY_ID
from orm.verbs.references import Asked, refuse_hidden, seen_references
from orm.verbs.scope import Scope

_BY_ID_AND_VERSION: Final[Shape] = ("and", BY_ID, SAME_VERSION)
_BY_IDS: Final[Shape] = ("in", "id", False)
_ANY: Final = BoundFilter()


def row_named(id: int, version: str | None) -> BoundFilter:
    """The row `id`, and where a version is given, only while it is that one."""
    if version is None:
        return BoundFilter(BY_ID, (id,))
    return BoundFilter(_BY_ID_AND_VERSION, (id, version))


def rows_named(ids: Sequence[int]) -> BoundFilter:
    """The rows `ids`."""
    return BoundFilter(_BY_IDS, (ids,))


def is_judged_late(scope: Scope) -> bool:
    """Whether the asker's rule can only be asked about a row that is written: it looks at what the database
    makes of it, a computed column, or the id of a new row, by which others hang on it.

    The statements below then leave it out, and `judge` has to follow them in the same transaction."""
    rule = scope.rule
    if rule == EVERYTHING:
        return False
    names = columns_of(rule, scope.meta)
    return not names.isdisjoint(scope.meta.computed) or (scope.operation == "create" and "id" in names)


async def judge(scope: Scope, ids: Sequence[int]) -> None:
    """Raise AccessDenied unless the rows `ids`, as they are now, pass the asker's rule."""
    texts, key = scope.registry.texts, ("judge", scope.meta.table, scope.rule)
    text = texts.get(key) or texts.put(key, build_select.count(scope.meta, (_BY_IDS, scope.rule)))
    [(passed,)] = await scope.db.run(text, [ids, *scope.rule_values])
    if passed < len(ids):
        raise _denied(scope, len(ids) - passed if len(ids) > 1 else None)


def _asked_of_new(scope: Scope, asked: Sequence[Asked]) -> BoundFilter:
    """What a statement asks about a row as it will be: the asker's rule, and whether he sees what it refers
    to."""
    if scope.grant.rule is None and not asked:
        return _ANY
    rule = _ANY if scope.grant.rule is None or is_judged_late(scope) else scope.grant.rule
    return joined(rule, seen_references(asked, is_new=scope.operation == "create")) if asked else rule


def _denied(scope: Scope, count: int | None = None) -> AccessDenied:
    """For the one row that was written, or `count` of many."""
    name = scope.meta.name
    if scope.operation == "create":
        return AccessDenied(f"your rules do not let you create such a {name}")
    rows = f"this {name}" if count is None else f"{count} {name} row{'s' * (count > 1)}"
    return AccessDenied(f"your rules do not let {rows} become what you ask for")


async def insert_columns(
    scope: Scope, columns: Mapping[str, Any], returning: Sequence[str], asked: Sequence[Asked] = ()
) -> Any:
    """The new row as the driver gives it. `columns` are complete and as the driver takes them.

    Raises AccessDenied when the asker's rules refuse it (see is_judged_late), ForeignKeyViolation when he
    does not see what one of the references `asked` points at.
    """
    rows = await scope.db.run(*insertion(scope, columns, returning, asked))
    if not rows:
        await _refuse_references(scope, asked, columns)
        raise _denied(scope)
    return rows[0]


def insertion(
    scope: Scope, columns: Mapping[str, Any], returning: Sequence[str], asked: Sequence[Asked] = ()
) -> tuple[str, list[Any]]:
    """The statement that makes a row, and its values. It gives back no row when something that is asked about
    the new one is against it."""
    meta = scope.meta
    rule = _asked_of_new(scope, asked)
    if rule.shape != EVERYTHING and not columns:
        columns = {name: None for name in meta.columns if name != "id"}
    names = tuple(columns)
    texts, key = scope.registry.texts, ("insert", meta.table, names, rule.shape, returning)
    text = texts.get(key) or texts.put(key, build.insert(meta, names, rule=rule.shape, returning=returning))
    return text, [*columns.values(), *rule.values]


async def update_columns(
    scope: Scope,
    id: int,
    columns: Mapping[str, Any],
    returning: Sequence[str] | None,
    version: str | None = None,
    asked: Sequence[Asked] = (),
) -> Any:
    """The changed row, its columns `returning` (None: those that were written or computed from them), as the
    driver gives it. With a `version` only while the row has it.

    Raises RecordNotFound when the asker's rules hide the row, StaleRow when it has another version,
    AccessDenied when the rules refuse what it would become (see is_judged_late), ForeignKeyViolation when
    he does not see what one of the references `asked` points at.
    """
    meta, rule, sight = scope.meta, scope.rule, scope.sight()
    row, new = row_named(id, version), _asked_of_new(scope, asked)
    if not columns:
        columns = {"id": id}  # nothing to change: the row is still looked up, and its absence noticed
    names = tuple(columns)
    returning = returning or (names + meta.recomputed if meta.recomputed else names)
    shapes = (row.shape, rule, sight.shape)
    texts, key = scope.registry.texts, ("update", meta.table, names, *shapes, new.shape, returning)
    text = texts.get(key) or texts.put(
        key, build.update(meta, names, shapes, rule=new.shape, returning=returning)
    )
    values = [*columns.values(), *row.values, *scope.rule_values, *sight.values, *new.values]
    rows = await scope.db.run(text, values)
    if not rows:
        problem = await refusal(scope, id, version, is_asked=bool(asked))
        if isinstance(problem, AccessDenied):
            await _refuse_references(scope, asked, columns, [id])
        raise problem
    return rows[0]


async def update_passing(
    scope: Scope,
    columns: Mapping[str, Any],
    condition: BoundFilter,
    *,
    is_ours: bool = False,
    asked: Sequence[Asked] = (),
) -> int:
    """How many rows pass `condition` and the asker's rules and now have `columns`.

    Raises AccessDenied, nothing being changed, when his rules refuse what one of them would become (see
    is_judged_late), ForeignKeyViolation when he does not see what one of the references `asked` points at.
    `is_ours` says that the rows have passed his rules already.
    """
    meta, new, names = scope.meta, _asked_of_new(scope, asked), tuple(columns)
    passed = condition if is_ours else passing(scope, condition)
    values = [*columns.values(), *passed.values]
    if new.shape == EVERYTHING:
        texts, key = scope.registry.texts, ("update many", meta.table, names, passed.shape)
        text = texts.get(key) or texts.put(key, build.update(meta, names, (passed.shape,)))
        _, tag = await scope.db.run_tagged(text, values)
        return affected(tag)
    texts, shape = scope.registry.texts, ("update all or none", meta.table, names, passed.shape, new.shape)
    text = texts.get(shape) or texts.put(
        shape, build.update_all_or_none(meta, names, (passed.shape,), rule=new.shape)
    )
    [(changed, refused)] = await scope.db.run(text, [*values, *new.values])
    if refused:
        await _refuse_references(scope, asked, columns)
        raise _denied(scope, refused)
    return int(changed)


async def delete_passing(scope: Scope, condition: BoundFilter, *, is_ours: bool = False) -> int:
    """How many rows passed `condition` and the asker's rules and are gone. `is_ours`: see
    `update_passing`."""
    passed = condition if is_ours else passing(scope, condition)
    texts, key = scope.registry.texts, ("delete", scope.meta.table, passed.shape)
    text = texts.get(key) or texts.put(key, build.delete(scope.meta, (passed.shape,)))
    _, tag = await scope.db.run_tagged(text, passed.values)
    return affected(tag)


async def locked_ids(scope: Scope, condition: BoundFilter) -> list[int]:
    """The ids of the rows that pass `condition` and the asker's rules. Until the transaction ends nobody else
    changes them."""
    passed = passing(scope, condition)
    lock = "FOR UPDATE" if scope.operation == "delete" else "FOR NO KEY UPDATE"
    texts, key = scope.registry.texts, ("locked ids", scope.meta.table, passed.shape, lock)
    text = texts.get(key) or texts.put(key, build_select.locked_ids(scope.meta, (passed.shape,), lock))
    return [row[0] for row in await scope.db.run(text, passed.values)]


def passing(scope: Scope, condition: BoundFilter) -> BoundFilter:
    """`condition`, the asker's rule, and what a row must pass to exist for him."""
    return joined(condition, scope.grant.rule, scope.sight())


def joined(*filters: BoundFilter | None) -> BoundFilter:
    """The filter that rows pass which pass all of these."""
    parts = [part for part in filters if part is not None and part.shape != EVERYTHING]
    if len(parts) <= 1:
        return parts[0] if parts else _ANY
    values = tuple(value for part in parts for value in part.values)
    return BoundFilter(("and", *(part.shape for part in parts)), values)


def affected(tag: str) -> int:
    """The number of rows in a command tag such as "UPDATE 3"."""
    return int(tag.rsplit(" ", 1)[-1])


async def refusal(scope: Scope, id: int, version: str | None = None, *, is_asked: bool = False) -> Problem:
    """Why the row `id` was not written: it is not there for the asker, it has another version, or something
    that was asked about it as it would be (his rules, or when it `is_asked` more) is against it.

    A client of the API is told of a row that he may read and not write. To the program such a row is
    absent: its verbs are about the rows that may be written."""
    name = scope.meta.name
    absent = RecordNotFound(f"there is no {name} {id}")
    if scope.rule == EVERYTHING and version is None and not is_asked:
        return absent
    if await _exists(scope, passing(scope, row_named(id, None))):
        if version is None or await _exists(scope, passing(scope, row_named(id, version))):
            return _denied(scope)
        return StaleRow(f"{name} {id} was changed since you read it; read it again")
    readable = joined(row_named(id, None), scope.readable().rule) if scope.api else None
    if readable is not None and scope.rule != EVERYTHING and await _exists(scope, readable):
        return AccessDenied(f"your rules do not let you {scope.operation} {name} {id}")
    return absent


async def _refuse_references(
    scope: Scope, asked: Sequence[Asked], columns: Mapping[str, Any], ids: Sequence[int] = ()
) -> None:
    if asked:
        await refuse_hidden(scope, asked, {one.name: [columns[one.name]] for one in asked}, ids)


async def _exists(scope: Scope, condition: BoundFilter) -> bool:
    text = build_select.exists(scope.meta, (condition.shape,))
    return bool((await scope.db.run(text, condition.values))[0][0])
