"""What modules' manifests say about access, brought into the tables of rights.

A preset is brought in once, under its key, and what it said is remembered. When a later version of the module
says something else, the row follows as long as it still says what the preset made of it: what an
administrator has changed or removed stays as he left it.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

import msgspec

from app.core.access_presets import ACL, ADMINISTRATORS, RolePreset, RulePreset
from app.core.errors import StartError
from app.core.service import App
from orm.access import OPERATIONS
from orm.database import Database
from orm.errors import Problem
from orm.registry import Registry
from services.security.domains import parse_domain
from services.security.models import AccessList, AccessPreset, Role, Rule
from sql import statements

_SQL = statements("security/rights")
_LOCK: Final = 3233913558486458933
"""Half of the first eight bytes of sha256("starling access presets"), as pg_advisory_xact_lock takes them."""

_logger = logging.getLogger(__name__)

Content = dict[str, Any]


class Preset(msgspec.Struct, frozen=True):
    """One row to begin with. `content` is what it says, in the words of the manifest: roles by their
    codes."""

    kind: Literal["role", "access", "rule"]
    key: str
    content: Content


def _role(preset: RolePreset) -> Preset:
    content = {"code": preset.code, "name": preset.name, "based_on": sorted(preset.based_on)}
    return Preset("role", f"role {preset.code}", content)


def _access(table: str, role: str, acl: ACL) -> Preset:
    allowed = {f"can_{one}": one in acl.operations for one in OPERATIONS}
    return Preset("access", f"access {table} {role}", {"model": table, "role": role, **allowed})


def _rule(preset: RulePreset) -> Preset:
    content = {
        "name": preset.name,
        "model": preset.table,
        "role": preset.role,
        "domain": _as_json(preset.domain),
        "operations": [one for one in OPERATIONS if one in preset.operations.operations],
    }
    return Preset("rule", f"rule {preset.name}", content)


def presets_of(apps: Iterable[App], registry: Registry) -> list[Preset]:
    """The presets of all modules, in an order in which they can be brought in.

    Raises StartError, which names the module, for an unknown table or role, a name that comes twice, and a
    domain that does not fit its model."""
    modules = list(apps)
    codes = {role.code for app in modules for role in app.roles}
    presets = [_role(role) for app in modules for role in app.roles]
    for app in modules:
        _check(app, registry, codes)
        presets += [
            _access(table, role, acl) for table, lists in app.access.items() for role, acl in lists.items()
        ]
        presets += [_rule(rule) for rule in app.rules]
    seen: set[str] = set()
    for preset in presets:
        if preset.key in seen:
            raise StartError(f"two modules have the access preset {preset.key!r}: keep one of them")
        seen.add(preset.key)
    return presets


async def bring_in(db: Database, presets: Sequence[Preset]) -> None:
    """Every preset was brought in. Idempotent, and safe when several processes do it at once.

    To be called as the system. One statement when nothing is new."""
    if not await _news(presets):
        return
    async with db.transaction():
        await db.run(_SQL["lock_presets"], [_LOCK])
        news = await _news(presets)
        stored = await _stored()
        new = []
        for preset, before in news:
            found = stored.get(preset.key)
            if found is None and before is None:
                new.append(preset)
            elif found is not None and found.content == before:
                await _change(found.id, preset)
            else:
                _logger.info("access preset %r stays out: an administrator decided otherwise", preset.key)
        await _make(new)
        said = [{"key": preset.key, "content": preset.content} for preset, _ in news]
        await AccessPreset.upsert(said, on=["key"])


def fields_of_unknown_roles(registry: Registry, codes: Iterable[str]) -> Iterator[str]:
    """Fields that ask for a role which does not exist, in words: only administrators get at them."""
    known = {*codes, ADMINISTRATORS}
    for meta in registry:
        for name, field in meta.fields.items():
            for code in sorted({*field.role_read, *field.role_create, *field.role_update} - known):
                yield f"{meta.name}.{name} asks for role {code!r}"


async def _news(presets: Sequence[Preset]) -> list[tuple[Preset, Content | None]]:
    """The presets that say something new, and what they said before, None for the first time."""
    before = {row.key: row.content for row in await AccessPreset.search()}
    return [(one, before.get(one.key)) for one in presets if before.get(one.key) != one.content]


class _Stored(NamedTuple):
    """A row as it is now, in the words of a preset."""

    id: int
    content: Content


async def _stored() -> dict[str, _Stored]:
    """All rows that a preset could be about, by its key."""
    stored = {}
    for role in await Role.search(fields=["code", "name", "based_role_ids.code"]):
        preset = RolePreset(role.code, role.name, tuple(base.code for base in role.based_role_ids))
        stored[f"role {role.code}"] = _Stored(role.id, _role(preset).content)
    allowed = [f"can_{one}" for one in OPERATIONS]
    for row in await AccessList.search(fields=["model", "role_id.code", *allowed]):
        content = {
            "model": row.model,
            "role": row.role_id.code,
            **{one: getattr(row, one) for one in allowed},
        }
        stored[f"access {row.model} {row.role_id.code}"] = _Stored(row.id, content)
    said = ["name", "model", "domain", "operations"]
    for rule in await Rule.search(fields=[*said, "role_id.code"], order="-id"):
        code = rule.role_id.code if rule.role_id is not None else None
        content = {**{one: getattr(rule, one) for one in said}, "role": code}
        stored[f"rule {rule.name}"] = _Stored(rule.id, content)
    return stored


async def _make(presets: Sequence[Preset]) -> None:
    """New rows, roles first: the others name them."""
    roles = [preset.content for preset in presets if preset.kind == "role"]
    await Role.create_bulk([{"code": role["code"], "name": role["name"]} for role in roles])
    ids = await _role_ids()
    for role in roles:
        if role["based_on"]:
            bases = [ids[code] for code in role["based_on"]]
            await (await Role.get(ids[role["code"]], ["id"])).update(based_role_ids={"link": bases})
    await AccessList.create_bulk([_row(one.content, ids) for one in presets if one.kind == "access"])
    await Rule.create_bulk([_row(one.content, ids) for one in presets if one.kind == "rule"])


async def _change(id: int, preset: Preset) -> None:
    """The row `id` says what its preset says now."""
    ids = await _role_ids()
    if preset.kind == "role":
        bases = [ids[code] for code in preset.content["based_on"]]
        await (await Role.get(id, ["id"])).update(name=preset.content["name"], based_role_ids={"set": bases})
    elif preset.kind == "access":
        await (await AccessList.get(id, ["id"])).update(_row(preset.content, ids))
    else:
        await (await Rule.get(id, ["id"])).update(_row(preset.content, ids))


async def _role_ids() -> dict[str, int]:
    return {role.code: role.id for role in await Role.search(fields=["code"])}


def _row(content: Content, role_ids: Mapping[str, int]) -> dict[str, Any]:
    """The columns of an access list or a rule. Raises StartError for a role that was removed."""
    values = {name: value for name, value in content.items() if name != "role"}
    code = content["role"]
    if code is not None and code not in role_ids:
        raise StartError(f"an access preset names the role {code!r}, which was removed: make it again")
    return {**values, "role_id": None if code is None else role_ids[code]}


def _check(app: App, registry: Registry, codes: set[str]) -> None:
    name = app.info.name
    for role in app.roles:
        _check_codes(name, role.based_on, codes, f"role {role.code}")
    for table, lists in app.access.items():
        _check_table(name, table, registry)
        _check_codes(name, lists, codes, f"access to {table}")
    for rule in app.rules:
        _check_table(name, rule.table, registry)
        _check_codes(name, [rule.role] if rule.role is not None else (), codes, f"rule {rule.name}")
        meta = registry.table(rule.table)
        assert meta is not None
        try:
            parse_domain(meta, rule.domain)
        except Problem as problem:
            raise StartError(
                f"module {name}, rule {rule.name} on {rule.table}: {problem.detail}"
            ) from problem


def _check_table(module: str, table: str, registry: Registry) -> None:
    if registry.table(table) is None:
        raise StartError(
            f"module {module} has an access preset for table {table!r}, which no registered model has"
        )


def _check_codes(module: str, named: Iterable[str], codes: set[str], where: str) -> None:
    for code in named:
        if code not in codes:
            raise StartError(f"module {module}, {where}: no module has a preset for the role {code!r}")


def _as_json(part: Any) -> Any:
    return [_as_json(one) for one in part] if isinstance(part, list | tuple) else part
