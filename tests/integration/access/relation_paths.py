"""The paths on which rows are written through the relations of another one."""

from typing import Any, Final

from orm.fields.relations import Many2manyField, One2manyField
from orm.metadata import ModelMeta
from tests.integration.access.expectations import (
    changes,
    refers_to_unseen,
    samples,
    some_of,
    status_of_change,
    would_pass,
)
from tests.integration.access.look import ABSENT, Look, Path, look_at, may_write


async def link(look: Look) -> None:
    """Linking rows needs the row that they are linked to, and each of them."""
    for name, target in _to_many(look):
        if look.table == "roles":
            continue  # which may not be linked in a circle, whatever one's rights
        relation = look.meta.fields[name]
        seen = await look.building.ids(look.asker, target.table, "read")
        for key in some_of(look, look.changed):
            for other in (*sorted(look.building.rows[target.table])[:8], ABSENT):
                path, body = f"{look.path}/{key}", {name: {"link": [other]}}
                answer = await look.try_("PATCH", path, body)
                if look.changed is None or key not in look.changed:
                    look.same("PATCH", path, answer.is_success, False, body)
                elif isinstance(relation, Many2manyField):
                    is_allowed = seen is not None and other in seen
                    look.same("PATCH", path, answer.is_success, is_allowed, body)
                else:
                    assert isinstance(relation, One2manyField)
                    there = await look_at(look.building, look.asker, target)
                    status = await status_of_change(there, other, {relation.inverse: key})
                    look.same("PATCH", path, answer.is_success, status == 200, body)


async def unlink(look: Look) -> None:
    """Nothing that one does not see is thrown out: by naming it, or by setting others."""
    for name, target in _to_many(look):
        relation = look.meta.fields[name]
        if not isinstance(relation, Many2manyField):
            continue
        seen = await look.building.ids(look.asker, target.table, "read") or frozenset()
        for key in some_of(look, look.changed):
            led = look.led_to(key, name)
            bodies: list[Any] = [{name: {"unlink": sorted(led)}}, {name: {"set": []}}]
            for body in bodies:
                path = f"{look.path}/{key}"
                async with look.undone():
                    await look.ask("PATCH", path, body)
                    rows = await look.inside(
                        f"SELECT {relation.column2} FROM {relation.table} WHERE {relation.column1} = $1", key
                    )
                left = {row[0] for row in rows}
                look.same("PATCH", path, (led - seen) - left, set(), body)


async def nested_write(look: Look) -> None:
    """Rows behind a relation are changed and removed by their own rules."""
    for name, target in _to_many(look):
        there = await look_at(look.building, look.asker, target)
        for key in some_of(look, look.changed):
            for other in sorted(look.led_to(key, name))[:6]:
                for values in changes(look.building, target.table)[:2]:
                    if (
                        isinstance(relation := look.meta.fields[name], One2manyField)
                        and relation.inverse in values
                    ):
                        continue
                    body: dict[str, Any] = {name: {"update": [{"id": other, **values}]}}
                    answer = await look.try_("PATCH", f"{look.path}/{key}", body)
                    is_allowed = (
                        look.changed is not None
                        and key in look.changed
                        and await status_of_change(there, other, values) == 200
                        and not await refers_to_unseen(there, values, other)
                    )
                    look.same("PATCH", f"{look.path}/{key}", answer.is_success, is_allowed, body)
                body = {name: {"delete": [other]}}
                answer = await look.try_("PATCH", f"{look.path}/{key}", body)
                is_allowed = (
                    look.changed is not None
                    and key in look.changed
                    and there.removed is not None
                    and other in there.removed
                )
                if answer.status_code != 409:
                    look.same("PATCH", f"{look.path}/{key}", answer.is_success, is_allowed, body)


async def nested_create(look: Look) -> None:
    """A row that is made behind a relation passes its own rules, and hangs on a row that may be changed."""
    for name, target in _to_many(look):
        relation = look.meta.fields[name]
        predicate = look.asker.rights.get(target.table, {}).get("create")
        there = await look_at(look.building, look.asker, target)
        for key in some_of(look, look.changed):
            for values in samples(look.building, target.table)[:4]:
                row = dict(values)
                if isinstance(relation, One2manyField):
                    row[relation.inverse] = key
                passes = predicate is not None and await would_pass(there, predicate, row)
                given = {one: value for one, value in row.items() if one != getattr(relation, "inverse", "")}
                body = {name: {"create": [given]}}
                answer = await look.try_("PATCH", f"{look.path}/{key}", body)
                is_allowed = passes and look.changed is not None and key in look.changed
                is_allowed = is_allowed and not await refers_to_unseen(there, given)
                if answer.status_code != 409:
                    look.same("PATCH", f"{look.path}/{key}", answer.is_success, is_allowed, body)


async def nested_fields(look: Look) -> None:
    """Fields that one may not write are refused behind a relation, too."""
    for name, target in _to_many(look):
        for key in sorted(look.changed or ())[:1]:
            for other in target.columns:
                field = target.fields[other]
                is_closed = field.readonly or field.private or not may_write(look.asker, target.table, other)
                if other == "id" or not is_closed:
                    continue
                for row in sorted(look.led_to(key, name))[:1]:
                    body = {name: {"update": [{"id": row, other: None}]}}
                    answer = await look.try_("PATCH", f"{look.path}/{key}", body)
                    look.same(
                        "PATCH", f"{look.path}/{key}", answer.status_code in (403, 404, 422), True, body
                    )


def _to_many(look: Look) -> list[tuple[str, ModelMeta]]:
    if look.meta.auto_crud is not True:
        return []
    return [(name, look.meta.targets[name]) for name in sorted(look.meta.to_many) if name not in look.hidden]


RELATED: Final[tuple[Path, ...]] = (link, unlink, nested_write, nested_create, nested_fields)
