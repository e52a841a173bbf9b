"""What is written of a row, taken apart: its own columns, and the commands to its to-many relations, checked
for form. What they do stands in relations.py."""

from collections.abc import Mapping
from typing import Any

from orm.verbs.payload import NO_NAMES, has_relations, invalid_at, unwritten
from orm.verbs.relations import COMMANDS, MAX_DEPTH, MAX_ROWS
from orm.verbs.scope import NOTHING, Scope


def split(
    scope: Scope, given: Mapping[str, Any], depth: int, *, ours: frozenset[str] = NO_NAMES
) -> tuple[Mapping[str, Any], Mapping[str, Mapping[str, Any]]]:
    """The columns of `given`, and its relations with their commands checked for form. `ours`: see
    payload.checked."""
    if not has_relations(scope.meta, given):
        return given, NOTHING
    own = dict(given)
    related: dict[str, Mapping[str, Any]] = {}
    unwritable = scope.unwritable - ours
    for name in [name for name in given if name in scope.meta.to_many]:
        if name in unwritable:
            refused = unwritten(scope, name)
            raise invalid_at(refused.pointer, refused.code, refused.message)
        commands = own.pop(name)
        if depth >= MAX_DEPTH:
            raise invalid_at(f"/{name}", "too_deep", f"rows are nested deeper than {MAX_DEPTH} levels")
        if not isinstance(commands, Mapping):
            raise invalid_at(f"/{name}", "type", f"a relation is written by commands: {', '.join(COMMANDS)}")
        for command, rows in commands.items():
            place = f"/{name}/{command}"
            if command not in COMMANDS:
                raise invalid_at(place, "unknown_command", f"there are {', '.join(COMMANDS)}")
            if not isinstance(rows, list | tuple):
                raise invalid_at(place, "type", f"{command} takes a list")
            if len(rows) > MAX_ROWS:
                raise invalid_at(place, "too_many", f"{command} takes at most {MAX_ROWS} rows")
        related[name] = commands
    return own, related
