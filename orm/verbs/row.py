"""Writing one row, its columns only: the statements behind create, update and delete."""

from collections.abc import Mapping, Sequence
from typing import Any

from orm.builder import select as build_select
from orm.builder import write as build
from orm.errors import AccessDenied, Problem, RecordNotFound
from orm.filters.parse import EVERYTHING, BoundFilter
from orm.verbs.read import BY_ID
from orm.verbs.scope import Scope


async def insert_columns(scope: Scope, columns: Mapping[str, Any], returning: Sequence[str]) -> Any:
    """The new row as the driver gives it. `columns` are complete and as the driver takes them.

    Raises AccessDenied when the asker's rules refuse it.
    """
    meta, rule = scope.meta, scope.rule
    if rule != EVERYTHING and not columns:
        columns = {name: None for name in meta.columns if name != "id"}
    names = tuple(columns)
    text = scope.registry.texts.get(
        ("insert", meta.table, names, rule, returning),
        lambda: build.insert(meta, names, rule=rule, returning=returning),
    )
    rows = await scope.db.run(text, [*columns.values(), *scope.rule_values])
    if not rows:
        raise AccessDenied(f"your rules do not let you create such a {meta.name}")
    return rows[0]


async def update_columns(scope: Scope, id: int, columns: Mapping[str, Any], returning: Sequence[str]) -> Any:
    """The changed row as the driver gives it.

    Raises RecordNotFound when the asker's rules hide the row, AccessDenied when they refuse what it would
    become.
    """
    meta, rule, sight = scope.meta, scope.rule, scope.sight()
    if not columns:
        columns = {"id": id}  # nothing to change: the row is still looked up, and its absence noticed
    names = tuple(columns)
    text = scope.registry.texts.get(
        ("update", meta.table, names, rule, sight.shape, returning),
        lambda: build.update(meta, names, (BY_ID, rule, sight.shape), rule=rule, returning=returning),
    )
    rule_values = scope.rule_values
    rows = await scope.db.run(text, [*columns.values(), id, *rule_values, *sight.values, *rule_values])
    if not rows:
        raise await _refusal(scope, id, sight)
    return rows[0]


async def delete_by_id(scope: Scope, id: int) -> None:
    """Remove the row. Raises RecordNotFound when there is none, or none that the asker may remove."""
    sight = scope.sight()
    shapes = (BY_ID, scope.rule, sight.shape)
    text = scope.registry.texts.get(
        ("delete", scope.meta.table, *shapes), lambda: build.delete(scope.meta, shapes)
    )
    _, tag = await scope.db.run_tagged(text, [id, *scope.rule_values, *sight.values])
    if not affected(tag):
        raise RecordNotFound(f"there is no {scope.meta.name} {id}")


def affected(tag: str) -> int:
    """The number of rows in a command tag such as "UPDATE 3"."""
    return int(tag.rsplit(" ", 1)[-1])


async def _refusal(scope: Scope, id: int, sight: BoundFilter) -> Problem:
    meta = scope.meta
    if scope.rule != EVERYTHING:
        text = build_select.exists(meta, (BY_ID, scope.rule, sight.shape))
        rows = await scope.db.run(text, [id, *scope.rule_values, *sight.values])
        if rows[0][0]:
            return AccessDenied(f"your rules do not let {meta.name} {id} become what you ask for")
    return RecordNotFound(f"there is no {meta.name} {id}")
