"""Upsert: rows that are created, or where one with the same key is there, changed."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from orm.builder import write as build
from orm.errors import Place, UniqueViolation, UsageError, ValidationError
from orm.filters.parse import EVERYTHING
from orm.metadata import ModelMeta
from orm.verbs.attended import Records, one_write
from orm.verbs.payload import (
    NO_NAMES,
    below,
    checked,
    given_record,
    has_relations,
    placed_below,
    unwritten,
    with_defaults,
)
from orm.verbs.read import many
from orm.verbs.references import asked_references
from orm.verbs.scope import Scope
from orm.verbs.whole import insert_whole, update_whole

if TYPE_CHECKING:
    from orm.model import DotModel

ATTEMPTS: Final = 3
"""Of finding out which rows are there: another one may make such a row in between."""


class Upserted(NamedTuple):
    """One row that was written, and whether it was created rather than changed."""

    id: int
    is_new: bool


async def upsert(
    cls: "type[DotModel]",
    records: "Sequence[DotModel | Mapping[str, Any]]",
    on: str | Sequence[str],
    *,
    api: bool = False,
) -> list[Upserted]:
    """See DotModel.upsert. `api`: a client of the API asks (see Scope)."""
    creation, change = Scope(cls, "create", api=api), Scope(cls, "update", api=api)
    meta = creation.meta
    key = _key(meta, (on,) if isinstance(on, str) else on)
    given = [given_record(meta, record) for record in records]
    _check_keys(meta, given, key)
    if not given:
        return []
    has_rules = any(scope.rule != EVERYTHING for scope in (creation, change, Scope(cls, "read", api=api)))
    names = {tuple(record) for record in given}
    has_hooks = meta.has_hooks("create") or meta.has_hooks("update")
    has_rules = has_rules or any(asked_references(creation, record, NO_NAMES) for record in given)
    if has_rules or has_hooks or len(names) > 1 or any(has_relations(meta, record) for record in given):
        return await _one_by_one(creation, change, given, key)
    return await _at_once(creation, change, given, key)


def _key(meta: ModelMeta, on: Sequence[str]) -> tuple[str, ...]:
    """The fields that `on` names, as the model declares them unique together."""
    uniques = (*meta.uniques, ("id",))
    for names in uniques:
        if set(names) == set(on):
            return names
    unique = "; ".join(", ".join(names) for names in uniques)
    raise UsageError(f"{meta.name}.upsert: on={tuple(on)} is not unique in {meta.table}; unique is {unique}")


def _check_keys(meta: ModelMeta, given: Records, key: tuple[str, ...]) -> None:
    """Raise ValidationError for a record without its key, and for a key that two records have."""
    seen: dict[Any, int] = {}
    places: list[Place] = []
    for index, record in enumerate(given):
        missing = [name for name in key if record.get(name) is None]
        places += [Place(f"/{index}/{name}", "required", f"{name} tells the rows apart") for name in missing]
        if missing:
            continue
        try:
            identity = tuple(meta.fields[name].to_column(record[name]) for name in key)
        except ValidationError as error:
            places += below(f"/{index}", error)
            continue
        if seen.setdefault(identity, index) != index:
            sentence = f"record {seen[identity]} has the same {', '.join(key)}"
            places.append(Place(f"/{index}", "duplicate", sentence))
    _refuse(meta, places)


def _refuse(meta: ModelMeta, places: list[Place]) -> None:
    if places:
        raise ValidationError(f"{meta.name}: {places[0].message}", errors=places)


async def _at_once(creation: Scope, change: Scope, given: Records, key: tuple[str, ...]) -> list[Upserted]:
    """One statement for records that all name the same fields."""
    meta = creation.meta
    places: list[Place] = []
    columns = []
    for index, record in enumerate(given):
        try:
            columns.append(with_defaults(meta, checked(creation, record)))
        except ValidationError as error:
            places += below(f"/{index}", error)
    changed = tuple(name for name in meta.columns if name in given[0] and name not in key and name != "id")
    for name in changed:
        if name in change.unwritable:
            places.append(unwritten(change, name))
    _refuse(meta, places)
    written = tuple(columns[0])
    texts, shape = creation.registry.texts, ("upsert", meta.table, written, changed, key)
    text = texts.get(shape) or texts.put(shape, build.upsert(meta, written, changed, key))
    values = [[row[name] for row in columns] for name in written]
    if not meta.audit:
        return [Upserted(*row) for row in await creation.db.run(text, values)]
    async with one_write(creation, steps=False):
        return [Upserted(*row) for row in await creation.db.run(text, values)]


async def _one_by_one(creation: Scope, change: Scope, given: Records, key: tuple[str, ...]) -> list[Upserted]:
    """Where rules are asked about each row, hooks run for it, or the records name different fields."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            async with one_write(creation, steps=True):
                return [
                    await _write_one(creation, change, record, key, index)
                    for index, record in enumerate(given)
                ]
        except UniqueViolation as violation:
            # Somebody else made the row since we looked; or it is one that the asker does not see.
            fields = {place.pointer.rpartition("/")[2] for place in violation.errors}
            if attempt == ATTEMPTS or fields != set(key):
                raise
    raise AssertionError("the last attempt returns or raises")


async def _write_one(
    creation: Scope, change: Scope, record: Mapping[str, Any], key: tuple[str, ...], index: int
) -> Upserted:
    condition = [[name, "=", record[name]] for name in key]
    found = await many(creation.meta.cls, condition, ["id"], api=creation.api).rows()
    with placed_below(f"/{index}"):
        if found:
            values = {name: value for name, value in record.items() if name != "id"}
            row = await update_whole(change, found[0]["id"], values, ("id",))
        else:
            row = await insert_whole(creation, record, ("id",))
    return Upserted(int(row["id"]), is_new=not found)
