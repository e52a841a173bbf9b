"""The paths on which rows are read through relations."""

from typing import Final

from orm.fields.relations import Many2oneField
from tests.integration.access.asking import WHOLE, finds_of, is_refused, may_name
from tests.integration.access.look import Look, Path


async def filter_through_relations(look: Look) -> None:
    """A dotted condition finds rows by what may be read of what they are related to, and by nothing else."""
    for name in look.relations if look.seen is not None else ():
        target = look.meta.targets[name]
        behind = await look.behind(name)
        there = sorted(look.building.rows.get(target.table, ()))
        conditions = [
            ([f"{name}.id", "in", there], True),
            ([f"{name}.id", "not in", there], False),
            ([name, "some", []], True),
            ([name, "none", [["id", ">", 0]]], False),
        ]
        for condition, is_positive in conditions:
            if behind is None:
                await is_refused(look, {"filter": [condition]})
                continue
            led = {key for key in look.ids if look.led_to(key, name) & behind}
            await finds_of(look, [condition], led if is_positive else set(look.ids) - led)
        for other in target.fields:
            whole = [f"{name}.{other}", "is not null"]
            if behind is not None and not may_name(look, target.table, other):
                await is_refused(look, {"filter": [whole]})
                await is_refused(look, {"filter": [[name, "some", [[other, "is not null"]]]]})


async def allowed_oracle(look: Look) -> None:
    """`allowed` tells no more than what one would be told by trying."""
    for name in look.relations:
        if not isinstance(look.meta.fields[name], Many2oneField):
            continue
        for operation in ("read", "update", "delete"):
            ids = await look.building.ids(look.asker, look.meta.targets[name].table, operation)
            led = {key for key in look.ids if look.led_to(key, name) & (ids or frozenset())}
            await finds_of(look, [[name, "allowed", operation]], led)


async def nested_read(look: Look) -> None:
    """Rows are shown with those related to them that may be read."""
    for name in look.relations:
        behind = await look.behind(name)
        plain = {"fields": ["id", f"{name}.id"], "limit": WHOLE}
        is_single = isinstance(look.meta.fields[name], Many2oneField)
        texts = [
            one
            for one in look.meta.targets[name].columns
            if may_name(look, look.meta.targets[name].table, one)
        ]
        whole = {"fields": ["id", *(f"{name}.{one}" for one in texts)], "limit": WHOLE}
        refined = {
            "fields": ["id"],
            "limit": WHOLE,
            "nested": {name: {"fields": ["id"], "filter": [["id", ">", 0]], "order": "-id", "limit": 100}},
        }
        for body in (plain, whole, *([] if is_single else [refined])):
            path = f"{look.path}/search"
            answer = await look.ask("POST", path, body)
            if look.seen is None or behind is None:
                look.same("POST", path, answer.status_code, 403, body)
                continue
            look.same("POST", path, answer.status_code, 200, body)
            if answer.status_code != 200:
                continue
            for row in answer.json()["data"]:
                led = look.led_to(row["id"], name)
                if is_single:
                    seen = bool(led & behind) and len(texts) > 1 and body is whole
                    is_object = isinstance(row[name], dict) and len(row[name]) > 1
                    look.same("POST", path, is_object, seen, body)
                else:
                    look.same("POST", path, {one["id"] for one in row[name]}, set(led & behind), body)


async def nested_hidden(look: Look) -> None:
    """What is hidden is hidden behind a relation, too: shown, filtered or ordered by."""
    for name in look.relations:
        target = look.meta.targets[name]
        if await look.behind(name) is None or look.seen is None:
            continue
        for other in target.columns:
            if may_name(look, target.table, other):
                continue
            await is_refused(look, {"fields": ["id", f"{name}.{other}"]})
            if isinstance(look.meta.fields[name], Many2oneField):
                continue
            for refined in ({"fields": [other]}, {"filter": [[other, "is null"]]}, {"order": other}):
                await is_refused(look, {"nested": {name: {"fields": ["id"], **refined}}})


async def aggregate_through_relations(look: Look) -> None:
    """Groups by what is related are by what may be read of it."""
    path = f"{look.path}/aggregate"
    for name in look.relations:
        if not isinstance(look.meta.fields[name], Many2oneField) or look.seen is None:
            continue
        target, behind = look.meta.targets[name], await look.behind(name)
        for other in target.columns:
            body = {"group_by": [f"{name}.{other}"], "values": {"n": ["count", "id"]}}
            answer = await look.ask("POST", path, body)
            if behind is None or not may_name(look, target.table, other):
                look.same("POST", path, answer.status_code, 403, body)
            elif other == "id" and answer.status_code == 200:
                shown = {group[f"{name}.{other}"] for group in answer.json()["data"]} - {None}
                led = {one for key in look.seen for one in look.led_to(key, name)}
                look.same("POST", path, shown - (led & behind), set(), body)


async def two_steps_away(look: Look) -> None:
    """Behind two relations nothing more is seen than behind one."""
    for name in look.relations if look.seen is not None else ():
        behind, target = await look.behind(name), look.meta.targets[name]
        for other, end in target.targets.items():
            texts = [one for one in end.columns if may_name(look, end.table, one)]
            body = {"fields": ["id", *(f"{name}.{other}.{one}" for one in texts)], "limit": 50}
            answer = await look.ask("POST", f"{look.path}/search", body)
            sees_end = await look.building.ids(look.asker, end.table, "read") is not None
            may = behind is not None and sees_end and may_name(look, target.table, other)
            look.same("POST", f"{look.path}/search", answer.status_code, 200 if may else 403, body)
            for one in end.columns:
                if may and not may_name(look, end.table, one):
                    await is_refused(look, {"fields": ["id", f"{name}.{other}.{one}"]})
                    await is_refused(look, {"filter": [[f"{name}.{other}.{one}", "is null"]]})


READING_RELATED: Final[tuple[Path, ...]] = (
    filter_through_relations,
    allowed_oracle,
    nested_read,
    nested_hidden,
    aggregate_through_relations,
    two_steps_away,
)
