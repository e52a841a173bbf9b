"""What should come of a write, asked of the database: it is made once past everything, the oracle's predicate
is asked of the row that came of it, and all is taken back before an asker tries."""

from collections.abc import Iterable, Mapping
from typing import Any

from tests.integration.access.building import Building
from tests.integration.access.look import ABSENT, Look

Values = Mapping[str, Any]


def samples(building: Building, table: str) -> list[Values]:
    """Rows that could be made, by way of everything that a rule is about."""
    ids = {name: asker.id for name, asker in building.askers.items()}
    folders, papers = sorted(building.rows["folders"]), sorted(building.rows["papers"])
    made: Mapping[str, list[Values]] = {
        "folders": [{"title": "new", "owner_id": ids[name]} for name in ("ada", "bob", "max")],
        "papers": [
            {"title": "new", "status": status, "folder_id": folder, "author_id": ids["ada"]}
            for folder in (*folders, None)
            for status in ("draft", "sealed")
        ],
        "paper_lines": [{"text": "new", "paper_id": paper} for paper in papers],
        "tags": [{"name": f"new {is_public}", "is_public": is_public} for is_public in (True, False)],
        "drawers": [{"thing": "new"}],
        "partners": [{"name": "new", "owner_id": ids[name]} for name in ("ada", "bob", "mia")],
        "partner_categories": [{"name": "new"}],
        "roles": [{"code": "new", "name": "New"}],
        "access_lists": [{"role_id": 1, "model": "drawers", "can_read": True}],
        "rules": [{"name": "new", "model": "drawers", "domain": []}],
    }
    return made.get(table, [])


def changes(building: Building, table: str) -> list[Values]:
    """Changes of a row, by way of everything that a rule is about."""
    ids = {name: asker.id for name, asker in building.askers.items()}
    folders, papers = sorted(building.rows["folders"]), sorted(building.rows["papers"])
    made: Mapping[str, list[Values]] = {
        "folders": [{"title": "x"}, {"owner_id": ids["ada"]}, {"owner_id": ids["bob"]}, {"is_open": True}],
        "papers": [
            {"title": "x"},
            {"status": "sealed"},
            {"author_id": ids["bob"]},
            *({"folder_id": folder} for folder in folders),
        ],
        "paper_lines": [{"text": "x"}, *({"paper_id": paper} for paper in papers[:6])],
        "tags": [{"is_public": True}, {"is_public": False}],
        "drawers": [{"thing": "x"}],
        "partners": [{"note": "x"}, {"owner_id": ids["ada"]}, {"owner_id": ids["mia"]}],
        "partner_categories": [{"color": "teal"}],
    }
    return made.get(table, [])


def status_of(look: Look, key: int, touched: frozenset[int] | None, granted: int) -> int:
    """The status of whoever touches one row by its id."""
    if look.seen is None or touched is None:
        return 403
    if key not in look.seen:
        return 404
    return granted if key in touched else 403


async def status_of_change(look: Look, key: int, values: Values) -> int:
    return (await statuses_of_change(look, values)).get(key, status_of(look, key, look.changed, 200))


async def statuses_of_change(look: Look, values: Values) -> dict[int, int]:
    """The status of the same change of each row, and of one that is not there.

    All rows are changed at once: whether a row passes does not depend on others of its table."""
    statuses = {key: status_of(look, key, look.changed, 200) for key in (*look.ids, ABSENT)}
    if not look.changed:
        return statuses
    predicate = look.asker.rights[look.table]["update"]
    sets = ", ".join(f"{name} = ${n}" for n, name in enumerate(values, 1))
    connection = look.building.connection
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(f"UPDATE {look.table} SET {sets}", *values.values())
        passing = await look.building.passing(look.asker, look.table, predicate)
    finally:
        await transaction.rollback()
    return {key: 403 if status == 200 and key not in passing else status for key, status in statuses.items()}


async def refers_to_unseen(look: Look, values: Values, key: int | None = None) -> bool:
    """Whether values of a new row, or of the row `key`, refer to a row that the asker does not see; one that
    it refers to already may be named again."""
    for name, target in look.meta.targets.items():
        value = values.get(name)
        if name not in look.meta.columns or value is None:
            continue
        if key is not None and key in look.rows and look.rows[key][name] == value:
            continue
        if value not in (await look.building.ids(look.asker, target.table, "read") or ()):
            return True
    return False


async def check_status(
    look: Look, method: str, path: str, found: int, expected: int, body: Any, *, key: int | None = None
) -> None:
    """Note a problem unless the status is the expected one, or 409 for a reference that cannot be seen.

    Where two reasons refuse a write, either may be told."""
    values = body[0] if isinstance(body, list) else body
    wanted = {expected}
    if expected != 404 and await refers_to_unseen(look, values, key):
        wanted = {409} | (wanted & {403})
    look.same(method, path, found if found not in wanted else min(wanted), min(wanted), body)


async def would_pass(look: Look, predicate: str, values: Values) -> bool:
    """Whether a new row passes, defaults filled in as the declarations say."""
    defaults: Mapping[str, Values] = {
        "folders": {"is_open": False},
        "partners": {"is_company": False, "active": True},
        "access_lists": {"can_create": False, "can_update": False, "can_delete": False},
        "rules": {"operations": ["read"], "active": True},
    }
    row = {**defaults.get(look.table, {}), **values}
    if look.asker.kind == "administrator":
        return True
    names = ", ".join(row)
    places = ", ".join(f"${n}" for n in range(1, len(row) + 1))
    connection = look.building.connection
    transaction = connection.transaction()
    await transaction.start()
    try:
        key = await connection.fetchval(
            f"INSERT INTO {look.table} ({names}) VALUES ({places}) RETURNING id", *row.values()
        )
        return key in await look.building.passing(look.asker, look.table, predicate)
    finally:
        await transaction.rollback()


async def untouched(look: Look, method: str, keys: Iterable[int]) -> None:
    """These rows are, in the open transaction, as they were."""
    columns = ", ".join(f'"{name}"' for name in look.meta.columns)
    for row in await look.inside(
        f"SELECT {columns} FROM {look.table} WHERE id = ANY($1::bigint[])", list(keys)
    ):
        before = look.rows[row["id"]]
        changed = [name for name in look.meta.columns if str(row[name]) != str(before[name])]
        look.same(method, f"{look.path} row {row['id']}", changed, [], "columns changed")


def some_of(look: Look, keys: frozenset[int] | None) -> list[int]:
    """Two rows of these, and two others."""
    fine = sorted(keys or ())
    return [*fine[:2], *[key for key in look.ids if key not in fine][:2]]
