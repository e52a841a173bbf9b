"""References that a client of the API writes: one to a row that he may not see is refused as if that row were
not there, or he could find out which rows there are, and hang his own on them.

Nothing is asked where the asker may read every row of the other model: then the foreign key alone says what
there is. A reference that the row has already may be written again: he who changes a row sends it back
whole."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from orm.builder.select import count, ids_that_pass
from orm.driver_errors import missing_reference
from orm.errors import AccessDenied
from orm.filters.parse import EVERYTHING, NEVER, BoundFilter, Shape
from orm.filters.render import SAME_VALUE
from orm.metadata import ModelMeta
from orm.verbs.scope import Scope


class Asked(NamedTuple):
    """A reference that is written, and what the row that it points at must pass for the asker to see it."""

    name: str
    target: ModelMeta
    rule: BoundFilter


def asked_references(scope: Scope, given: Mapping[str, Any], ours: frozenset[str]) -> tuple[Asked, ...]:
    """The references in `given` that have to be asked about. `ours`: see payload.checked."""
    if not scope.api:
        return ()
    meta, found = scope.meta, []
    for name in meta.foreign_keys:
        if given.get(name) is None or name in ours:
            continue
        try:
            rule = scope.grant_on(meta.targets[name]).rule
        except AccessDenied:
            rule = BoundFilter(NEVER)
        if rule is not None:
            found.append(Asked(name, meta.targets[name], rule))
    return tuple(found)


def seen_references(asked: Iterable[Asked], *, is_new: bool) -> BoundFilter:
    """What a row must pass as it will be: it refers to rows that the asker sees, or as it did before."""
    shapes: list[Shape] = []
    values: list[Any] = []
    for name, _, rule in asked:
        seen = ("via", name, EVERYTHING, rule.shape)
        shapes.append(seen if is_new else ("or", (SAME_VALUE, name), seen))
        values += rule.values
    return BoundFilter(("and", *shapes), tuple(values))


async def refuse_hidden(
    scope: Scope, asked: Iterable[Asked], given: Mapping[str, Sequence[Any]], ids: Sequence[int] = ()
) -> None:
    """Raise ForeignKeyViolation for a reference to a row that the asker does not see, the very same as for
    one to a row that is not there.

    `given` has the columns of one row or of many; `ids` are the rows that get them, none for new ones."""
    for name, target, rule in asked:
        wanted = [value for value in given[name] if value is not None]
        texts, key = scope.registry.texts, ("ids that pass", target.table, rule.shape)
        text = texts.get(key) or texts.put(key, ids_that_pass(target, rule.shape))
        seen = {row[0] for row in await scope.db.run(text, [wanted, *rule.values])}
        for index, value in enumerate(given[name]):
            if value is None or value in seen or await _is_kept(scope, name, value, ids):
                continue
            raise missing_reference(scope.meta.name, name, f"/{index}" if len(given[name]) > 1 else "")


async def _is_kept(scope: Scope, name: str, value: int, ids: Sequence[int]) -> bool:
    if not ids:
        return False
    shape: Shape = ("and", ("in", "id", False), ("cmp", name, "="))
    [(kept,)] = await scope.db.run(count(scope.meta, (shape,)), [ids, value])
    return bool(kept == len(ids))
