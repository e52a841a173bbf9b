"""Side ways: batches, actions, repeated requests, versions, and what an error tells."""

import re
from collections.abc import Sequence
from typing import Any, Final

from tests.integration.access.expectations import changes, status_of, untouched
from tests.integration.access.look import ABSENT, Look, Path, look_at, may_write


async def batch(look: Look) -> None:
    """What a batch may not do undoes the rest of it; what it refers to is seen by its own rules."""
    seen, path = sorted(look.seen or ()), "/api/batch"
    unseen = [key for key in look.ids if key not in seen]
    for key in unseen[:4]:
        body: list[Any] = [{"method": "GET", "path": f"{look.path}/{one}"} for one in (*seen[:1], key)]
        answer = await look.try_("POST", path, body)
        look.same("POST", path, answer.status_code, 403 if look.seen is None else 404, body)
    for values in changes(look.building, look.table)[:1]:
        fine = sorted(look.changed or ())
        not_fine = [key for key in look.ids if key not in fine]
        if not fine or not not_fine:
            continue
        body = [
            {"method": "PATCH", "path": f"{look.path}/{key}", "body": values}
            for key in (fine[0], not_fine[0])
        ]
        async with look.undone():
            answer = await look.ask("POST", path, body)
            look.same("POST", path, answer.is_success, False, body)
            await untouched(look, "POST", look.ids)


async def acting(look: Look) -> None:
    """An action needs the right that it names, on that very row."""
    if look.table != "papers":
        return
    for key in (*look.ids, ABSENT):
        for name, touched, granted in (("weigh", look.seen, 200), ("stamp", look.changed, 204)):
            path = f"{look.path}/{key}/{name}"
            answer = await look.try_("POST", path)
            look.same("POST", path, answer.status_code, status_of(look, key, touched, granted))


async def repeating(look: Look) -> None:
    """A key that somebody else has used for the same request gives nobody his answer."""
    if look.table != "folders":
        return
    body, named = {"title": "new"}, {"Idempotency_Key": "the-same"}
    async with look.undone():
        theirs = await look.building.askers["bob"].client.post(
            look.path, json=body, headers={"Idempotency-Key": "the-same"}
        )
        assert theirs.status_code == 201, theirs.text
        answer = await look.ask("POST", look.path, body, **named)
        look.same("POST", look.path, "Idempotency-Replayed" in answer.headers, False, body)
        look.same("POST", look.path, theirs.json()["id"] == answer.json().get("id"), False, body)


async def record_chat(look: Look) -> None:
    """The chat of a record is for those who may read the record."""
    if look.asker.name == "key":
        return  # it has no scope for these routes
    for key in (*look.ids[:4], ABSENT):
        path = f"/records/{look.meta.route}/{key}/chat"
        answer = await look.try_("POST", path)
        expected = status_of(look, key, look.seen, 201)
        if answer.status_code != 404 or look.meta.auto_crud is True:
            look.same("POST", path, 201 if answer.status_code == 200 else answer.status_code, expected)


async def if_match(look: Look) -> None:
    """Whoever knows the tag of a row that he may not see can do nothing with it."""
    root = look.building.askers["root"].client
    if look.meta.auto_crud is not True:
        return
    for key in look.ids[:8]:
        tag = (await root.get(f"{look.path}/{key}")).headers.get("ETag")
        if tag is None or look.seen is None or key in look.seen:
            continue
        for given in (tag, '"1-0000000000000000"', "*"):
            for method, body in (("PATCH", {}), ("DELETE", None)):
                answer = await look.try_(method, f"{look.path}/{key}", body, If_Match=given)
                expected = (
                    (404,) if (look.changed if method == "PATCH" else look.removed) is not None else (403,)
                )
                look.same(method, f"{look.path}/{key} If-Match {given}", answer.status_code in expected, True)


async def error_text(look: Look) -> None:
    """A row that may not be seen answers exactly as one that is not there."""
    if look.seen is None:
        return
    unseen = [key for key in look.ids if key not in look.seen][:5]
    asked: list[tuple[str, str, Any]] = [
        ("GET", "{}", None),
        ("PATCH", "{}", {}),
        ("DELETE", "{}", None),
        *(("PATCH", "{}", values) for values in changes(look.building, look.table)[:1]),
    ]
    if look.asker.kind != "administrator":  # who is told why nobody sees a row
        asked.append(("GET", "{}/access", None))
    for key in unseen:
        for method, path, body in asked:
            told = []
            for one in (key, ABSENT):
                answer = await look.try_(method, f"{look.path}/{path.format(one)}", body)
                told.append(_without_names(answer.text, one))
            look.same(method, f"{look.path}/{path.format(key)}", told[0], told[1], body)
    await _references(look, unseen)


async def _references(look: Look, unseen: Sequence[int]) -> None:
    """To name a row that may not be seen, in a reference or a command, is as good as to name none."""
    for meta in look.building.models:
        here = await look_at(look.building, look.asker, meta)
        for name, target in meta.targets.items():
            if target.table != look.table or name in here.hidden or here.changed is None:
                continue
            is_single = name in meta.columns
            if is_single and (meta.fields[name].readonly or not may_write(look.asker, meta.table, name)):
                continue
            for key in sorted(here.changed)[:1]:
                for hidden in unseen[:2]:
                    commands = [None] if is_single else ["link", "unlink", "delete", "update"]
                    for command in commands:
                        told = []
                        for one in (hidden, ABSENT):
                            row: Any = {"id": one} if command == "update" else one
                            body: Any = {name: one if command is None else {command: [row]}}
                            answer = await here.try_("PATCH", f"{here.path}/{key}", body)
                            text = "" if answer.is_success else _without_names(answer.text, one)
                            told.append(f"{answer.status_code} {text}")
                        if told[0] != told[1]:
                            here.wrong(
                                "PATCH",
                                f"{here.path}/{key}",
                                f"{told[0]} for a hidden row, {told[1]} for none",
                                body,
                            )


def _without_names(text: str, key: int) -> str:
    """A problem without what differs in any two: the id that was asked about, and the request's."""
    head, _, rest = text.partition('"instance":"')
    return re.sub(rf"\b{key}\b", "#", head + rest.partition('"')[2])


SIDEWAYS: Final[tuple[Path, ...]] = (batch, acting, repeating, record_chat, if_match, error_text)
