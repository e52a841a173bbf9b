"""The paths on which rows are read, each asked of everybody in front of every table. One function is one
path."""

import csv
import io
import json
from typing import Any, Final

from tests.integration.access.asking import WHOLE, as_json, finds, finds_of, is_refused, query
from tests.integration.access.look import ABSENT, Look, Path


async def get(look: Look) -> None:
    """Each row is there, without what is hidden of it, or it is not."""
    for key in (*look.ids[:40], ABSENT):  # the audit log is longer
        path = f"{look.path}/{key}"
        answer = await look.ask("GET", path)
        if look.seen is None:
            look.same("GET", path, answer.status_code, 403)
        elif key not in look.seen:
            look.same("GET", path, answer.status_code, 404)
        else:
            look.same("GET", path, answer.status_code, 200)
            look.same("GET", path, set(answer.json()), set(look.columns))


async def list_(look: Look) -> None:
    """The list, and the same as a body."""
    path = f"{look.path}?limit={WHOLE}"
    await finds(look, "GET", path, look.seen)
    await finds(look, "POST", f"{look.path}/search", look.seen, {"limit": WHOLE})


async def count(look: Look) -> None:
    """Totals, exact and estimated."""
    for how in ("exact", "estimated"):
        path = f"{look.path}?limit=1&count={how}"
        answer = await look.ask("GET", path)
        if look.seen is None:
            look.same("GET", path, answer.status_code, 403)
        else:
            look.same("GET", path, answer.json()["total"], len(look.seen))
        body = {"limit": 1, "count": how, "filter": [["id", ">", 0]]}
        answer = await look.ask("POST", f"{look.path}/search", body)
        if look.seen is not None:
            look.same("POST", f"{look.path}/search", answer.json()["total"], len(look.seen), body)


async def filter_oracle(look: Look) -> None:
    """No filter tells of a row or of a value that may not be seen."""
    unseen = sorted(frozenset(look.ids) - (look.seen or frozenset()))
    for name in look.meta.columns if look.seen is not None else ("id",):
        if name in look.hidden:
            for condition in ([name, "is null"], [name, "=", None], ["not", [name, "is not null"]]):
                await is_refused(look, {"filter": [condition]})
            continue
        values = {as_json(look.rows[key][name]) for key in unseen[:2]} - {None}
        for value in values if look.meta.fields[name].kind != "json" else ():
            same = [key for key in look.ids if as_json(look.rows[key][name]) == value]
            await finds_of(look, [[name, "=", value]], same)
            await finds_of(look, [["not", [name, "=", value]]], set(look.ids) - set(same))
            await finds_of(look, [["or", [name, "in", [value]], ["id", "=", ABSENT]]], same)
    await finds_of(look, [["id", "in", unseen]], [])
    await finds_of(look, [["not", ["id", "in", unseen]]], look.ids)


async def sort_oracle(look: Look) -> None:
    """Any order shows the same rows; one by a hidden field is refused."""
    for place, name in enumerate(look.meta.columns if look.seen is not None else ("id",)):
        order = name if place % 2 else f"-{name}"
        if name in look.hidden:
            await is_refused(look, {"order": order})
        elif look.meta.fields[name].is_ordered:
            body = {"order": order, "limit": WHOLE, "fields": ["id"]}
            await finds(look, "POST", f"{look.path}/search", look.seen, body)


async def cursor(look: Look) -> None:
    """Page after page, by everybody's own cursors and by somebody else's."""
    if look.seen is None:
        return
    root = look.building.askers["root"].client
    found: list[int] = []
    after: str | None = None
    for _ in look.ids:
        path = f"{look.path}?{query(order='-id', limit='2', **({'after': after} if after else {}))}"
        answer = await look.ask("GET", path)
        found += [row["id"] for row in answer.json()["data"]]
        after = answer.json()["next"]
        if after is None:
            break
    look.same("GET", f"{look.path} page by page", found, sorted(look.seen, reverse=True))
    theirs = (await root.get(f"{look.path}?order=-id&limit=2")).json()["next"]
    if theirs is not None:
        path = f"{look.path}?{query(order='-id', limit=str(WHOLE), after=theirs)}"
        answer = await look.ask("GET", path)
        if answer.status_code == 200:
            ids = {row["id"] for row in answer.json()["data"]}
            look.same("GET", path, ids - look.seen, set())


async def fields(look: Look) -> None:
    """Naming a hidden field is refused, whatever else is named."""
    for name in look.meta.fields if look.seen is not None else ("id",):
        path = f"{look.path}?limit=1&fields=id,{name}"
        answer = await look.ask("GET", path)
        if look.seen is None or name in look.hidden:
            look.same("GET", path, answer.status_code, 403)
        elif name in look.meta.columns:
            look.same("GET", path, answer.status_code, 200)


async def aggregate(look: Look) -> None:
    """Figures are over what is seen."""
    path = f"{look.path}/aggregate"
    body: dict[str, Any] = {"values": {"n": ["count", "id"]}}
    answer = await look.ask("POST", path, body)
    if look.seen is None:
        look.same("POST", path, answer.status_code, 403, body)
        return
    look.same("POST", path, answer.json()["data"], [{"n": len(look.seen)}], body)
    for name in look.meta.columns:
        by = {"group_by": [name], "values": {"n": ["count", "id"]}}
        values = {"values": {"least": ["min", name], "n": ["count", name]}}
        if name in look.hidden:
            for body in (by, values):
                look.same("POST", path, (await look.ask("POST", path, body)).status_code, 403, body)
            continue
        answer = await look.ask("POST", path, by)
        if answer.status_code == 200:
            groups = answer.json()["data"]
            look.same("POST", path, sum(group["n"] for group in groups), len(look.seen), by)
            known = len({str(look.rows[key][name]) for key in look.seen})
            look.same("POST", path, len(groups), known, by)
        filtered = {"filter": [["id", "in", look.ids]], **values}
        answer = await look.ask("POST", path, filtered)
        if answer.status_code == 200:
            expected = sum(look.rows[key][name] is not None for key in look.seen)
            look.same("POST", path, answer.json()["data"][0]["n"], expected, filtered)


async def export(look: Look) -> None:
    """A whole table as a file."""
    for kind in ("csv", "jsonl"):
        path = f"{look.path}/export?format={kind}"
        answer = await look.ask("GET", path)
        if look.seen is None:
            look.same("GET", path, answer.status_code, 403)
            continue
        look.same("GET", path, answer.status_code, 200)
        if kind == "csv":
            rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
        else:
            rows = [json.loads(line) for line in answer.text.splitlines() if line]
        look.same("GET", path, {int(row["id"]) for row in rows}, set(look.seen))
        look.same("GET", path, {name for row in rows for name in row} & look.hidden, set())
        for name in look.hidden & set(look.meta.columns) if kind == "csv" else ():
            refused = await look.ask("GET", f"{path}&fields=id,{name}")
            look.same("GET", f"{path}&fields=id,{name}", refused.status_code, 403)
            for asked in (query(order=name), query(filter=[[name, "is null"]])):
                refused = await look.ask("GET", f"{path}&{asked}")
                look.same("GET", f"{path}&{asked}", refused.status_code, 403)


async def etag(look: Look) -> None:
    """Whoever knows the tag of a row that he may not see learns nothing by it."""
    root = look.building.askers["root"].client
    for key in look.ids[:8]:
        path = f"{look.path}/{key}"
        tag = (await root.get(path)).headers.get("ETag")
        if tag is None or look.seen is None or key in look.seen:
            continue
        for given in (tag, "*"):
            answer = await look.ask("GET", path, If_None_Match=given)
            look.same("GET", path, answer.status_code, 404)


async def describing(look: Look) -> None:
    """What a model is like is told without what is hidden of it."""
    path = f"{look.path}/fields"
    answer = await look.ask("GET", path)
    if look.seen is not None:
        look.same("GET", path, answer.status_code, 200)
    for name in look.meta.private:
        look.same("GET", path, f'"{name}"' in answer.text, False)
    await look.ask("GET", f"{look.path}/defaults")


async def explaining(look: Look) -> None:
    """Why somebody sees a row is told to administrators only."""
    for key in (*look.ids[:2], ABSENT):
        path = f"{look.path}/{key}/access?user_id={look.building.askers['ada'].id}&operation=read"
        answer = await look.ask("GET", path)
        if look.asker.kind != "administrator":
            look.same("GET", path, answer.status_code in (403, 404), True)


READING: Final[tuple[Path, ...]] = (
    get,
    list_,
    count,
    filter_oracle,
    sort_oracle,
    cursor,
    fields,
    aggregate,
    export,
    etag,
    describing,
    explaining,
)
