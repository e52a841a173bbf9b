"""The paths on which rows are written, each tried by everybody on every table and taken back."""

from typing import Any, Final

from tests.integration.access.expectations import (
    Values,
    changes,
    check_status,
    refers_to_unseen,
    samples,
    status_of,
    statuses_of_change,
    untouched,
    would_pass,
)
from tests.integration.access.look import ABSENT, Look, Path, may_write


async def create(look: Look) -> None:
    """A new row, alone and in a list, is made exactly when it passes."""
    predicate = look.asker.rights.get(look.table, {}).get("create")
    for values in samples(look.building, look.table):
        is_allowed = predicate is not None and await would_pass(look, predicate, values)
        for body in (values, [values]):
            answer = await look.try_("POST", look.path, body)
            expected = 201 if is_allowed else 403
            await check_status(look, "POST", look.path, answer.status_code, expected, body)
    if look.meta.auto_crud is not True:
        for method, path in (("POST", ""), ("PATCH", ""), ("POST", "/delete"), ("DELETE", "/1")):
            answer = await look.try_(method, look.path + path, {} if method != "DELETE" else None)
            look.same(method, look.path + path, answer.status_code in (403, 405, 409, 422), True)


async def create_many(look: Look) -> None:
    """A list with one row that may not be makes none."""
    predicate = look.asker.rights.get(look.table, {}).get("create")
    rows = samples(look.building, look.table)
    if predicate is None or len(rows) < 2:
        return
    passes = [await would_pass(look, predicate, values) for values in rows]
    if all(passes):
        return
    async with look.undone():
        answer = await look.ask("POST", look.path, rows)
        unseen = [await refers_to_unseen(look, values) for values in rows]
        refused = {403, 409} if any(unseen) else {403}
        look.same("POST", look.path, answer.status_code in refused, True, rows)
        left = await look.inside(f"SELECT count(*) FROM {look.table}")
    look.same("POST", look.path, left[0][0], len(look.ids), "rows left")


async def update(look: Look) -> None:
    """A row is changed when it may be, and what becomes of it may be as well."""
    for turn, values in enumerate(changes(look.building, look.table)):
        statuses = await statuses_of_change(look, values)
        for key, status in statuses.items():
            if turn and (key + turn) % 4:
                continue  # one change is tried on every row, of the others each on a fourth of them
            path = f"{look.path}/{key}"
            answer = await look.try_("PATCH", path, values)
            await check_status(look, "PATCH", path, answer.status_code, status, values, key=key)


async def update_nothing(look: Look) -> None:
    """To change nothing of a row is to ask whether one might."""
    if look.meta.auto_crud is not True:
        return
    for key in (*look.ids[::2], ABSENT):
        path = f"{look.path}/{key}"
        answer = await look.try_("PATCH", path, {})
        look.same("PATCH", path, answer.status_code, status_of(look, key, look.changed, 200), {})


async def update_bulk(look: Look) -> None:
    """A filter reaches the rows that may be changed, and all of them or none."""
    for values in changes(look.building, look.table):
        body = {"filter": [["id", "in", [*look.ids, ABSENT]]], "values": values}
        changed = await statuses_of_change(look, values)
        async with look.undone():
            answer = await look.ask("PATCH", look.path, body)
            if look.changed is None:
                look.same("PATCH", look.path, answer.status_code, 403, body)
                continue
            unseen = [await refers_to_unseen(look, values, key) for key in look.changed]
            if any(changed[key] != 200 for key in look.changed) or any(unseen):
                refused = {403, 409} if any(unseen) else {403}
                look.same("PATCH", look.path, answer.status_code in refused, True, body)
                continue
            look.same("PATCH", look.path, answer.json(), {"count": len(look.changed)}, body)
            await untouched(look, "PATCH", set(look.ids) - look.changed)


async def update_by_hidden_filter(look: Look) -> None:
    """A bulk write is no oracle about what may not be read."""
    if look.meta.auto_crud is not True:
        return
    value = next(iter(changes(look.building, look.table)), None)
    for name in look.hidden & set(look.meta.columns):
        condition = [[name, "is not null"]]
        if value is not None:
            body: dict[str, Any] = {"filter": condition, "values": value}
            look.same("PATCH", look.path, (await look.try_("PATCH", look.path, body)).status_code, 403, body)
        path = f"{look.path}/delete"
        answer = await look.try_("POST", path, {"filter": condition})
        look.same("POST", path, answer.status_code, 403, condition)


async def write_fields(look: Look) -> None:
    """A field that he may not write is refused, whatever row it is about."""
    if look.meta.auto_crud is not True or look.changed is None:
        return
    for name in look.meta.columns:
        field = look.meta.fields[name]
        key = next(iter(sorted(look.changed)), ABSENT)
        path = f"{look.path}/{key}"
        if name == "id" or field.readonly or (look.table, name) in _private(look):
            value = look.rows[key][name] if key in look.rows else None
            answer = await look.try_("PATCH", path, {name: None if value is None else str(value)})
            look.same("PATCH", path, answer.status_code in (403, 422), True, name)
        elif not may_write(look.asker, look.table, name):
            for method, at, body in (
                ("PATCH", path, {name: 1}),
                ("PATCH", look.path, {"filter": [["id", "=", key]], "values": {name: 1}}),
            ):
                answer = await look.try_(method, at, body)
                look.same(method, at, answer.status_code, 403, body)
            for sample in samples(look.building, look.table)[:1]:
                answer = await look.try_("POST", look.path, {**sample, name: 1})
                look.same("POST", look.path, answer.status_code, 403, name)


async def delete(look: Look) -> None:
    """A row goes when it may; one in use stays for that reason alone."""
    if look.meta.auto_crud is not True:
        return
    for key in (*look.ids, ABSENT):
        path = f"{look.path}/{key}"
        answer = await look.try_("DELETE", path)
        expected = status_of(look, key, look.removed, 204)
        if (expected, answer.status_code) != (204, 409):
            look.same("DELETE", path, answer.status_code, expected)


async def delete_bulk(look: Look) -> None:
    """A filter reaches the rows that may be removed."""
    if look.meta.auto_crud is not True:
        return
    path, body = f"{look.path}/delete", {"filter": [["id", "in", [*look.ids, ABSENT]]]}
    async with look.undone():
        answer = await look.ask("POST", path, body)
        if look.removed is None:
            look.same("POST", path, answer.status_code, 403, body)
        elif answer.status_code != 409:
            look.same("POST", path, answer.json(), {"count": len(look.removed)}, body)
            left = {row[0] for row in await look.inside(f"SELECT id FROM {look.table}")}
            look.same("POST", path, left, set(look.ids) - look.removed, "rows left")


async def upsert(look: Look) -> None:
    """An upsert changes no row that may not be changed, and tells nothing of it."""
    unique = {"tags": "name", "drawers": "code", "partner_categories": "name"}.get(look.table)
    if unique is None:
        return
    fixed: Values = {"thing": "x"} if look.table == "drawers" else {}
    for key in look.ids:
        path = f"{look.path}?on={unique}"
        body = {unique: look.rows[key][unique], **fixed}
        async with look.undone():
            answer = await look.ask("POST", path, body)
            is_allowed = look.changed is not None and key in look.changed
            may_create = "create" in look.asker.rights.get(look.table, {})
            if is_allowed and may_create:
                look.same("POST", path, answer.status_code, 200, body)
            else:
                look.same("POST", path, answer.status_code in (403, 404, 409), True, body)
                await _untouched_once_rolled_back(look, answer.status_code, key, path)


async def _untouched_once_rolled_back(look: Look, status: int, key: int, path: str) -> None:
    if status != 409:  # after which the transaction answers nothing any more
        await untouched(look, "POST", [key])


def _private(look: Look) -> frozenset[tuple[str, str]]:
    return frozenset((look.table, name) for name in look.meta.private)


WRITING: Final[tuple[Path, ...]] = (
    create,
    create_many,
    update,
    update_nothing,
    update_bulk,
    update_by_hidden_filter,
    write_fields,
    delete,
    delete_bulk,
    upsert,
)
