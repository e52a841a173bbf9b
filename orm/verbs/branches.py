"""Filling in to-many relations: one statement for each relation and level, whatever the number of rows."""

from collections.abc import Iterable, Sequence
from typing import Any

from orm.builder.branch import branch_rows
from orm.filters.parse import EVERYTHING
from orm.projection import Arguments, Branch, Projection
from orm.verbs.scope import Scope


async def fill_branches(
    scope: Scope, projection: Projection, arguments: Arguments, things: Sequence[Any], *, as_json: bool
) -> None:
    """Give each of `things`, records or Structs that `projection` made, the lists of its to-many
    relations."""
    found = zip(projection.branches, arguments.rules, arguments.branches, strict=True)
    for (path, branch), rule_values, behind in found:
        parents = _reach(things, path, branch.field.name, as_json=as_json)
        await _fill(scope, branch, rule_values, behind, parents, as_json=as_json)


async def _fill(
    scope: Scope,
    branch: Branch,
    rule_values: tuple[Any, ...],
    behind: Arguments,
    parents: Sequence[Any],
    *,
    as_json: bool,
) -> None:
    ids = list({parent.id for parent in parents})
    if not ids:
        return
    rule = branch.grant.rule.shape if branch.grant.rule is not None else EVERYTHING
    key = (
        "branch",
        branch.field,
        branch.projection,
        branch.filter.shape,
        rule,
        branch.order,
        branch.limit is None,
        as_json,
    )
    texts = scope.registry.texts
    text = texts.get(key) or texts.put(key, branch_rows(branch, rule, as_json=as_json))
    values = [ids, *behind.joins, *branch.filter.values, *rule_values]
    if branch.limit is not None:
        values.append(branch.limit)
    groups = branch.projection.grouped(await scope.db.run(text, values), as_json=as_json)
    rows = [row for group in groups.values() for row in group]
    await fill_branches(scope, branch.projection, behind, rows, as_json=as_json)
    if as_json and branch.only_ids:
        groups = {parent: [row.id for row in group] for parent, group in groups.items()}
    for parent in parents:
        setattr(parent, branch.field.name, groups.get(parent.id, []))


def _reach(things: Iterable[Any], path: tuple[str, ...], name: str, *, as_json: bool) -> list[Any]:
    """The rows at the end of a path of to-one relations, nulls left out, and those that the asker may not
    see."""
    for hop in path:
        things = [other for thing in things if (other := getattr(thing, hop)) is not None]
    return [thing for thing in things if not as_json or hasattr(thing, name)]
