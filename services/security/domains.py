"""The filters of rules, with variables for what is known only when somebody asks. Pure.

    [["owner_id", "=", "{{user_id}}"]]          the id of the asker; 0 for the anonymous user
    [["team_id", "in", "{{role_ids}}"]]         the ids of all his roles
    [["valid_until", ">", "{{now}}"]]           the time of the request, in UTC
    [["chat_id", "allowed", "read"]]            rows whose chat the asker may read

A dotted path in a domain asks nothing of the rules of the models that it leads through: who wrote the rule
knows what it says. `allowed` is the word for asking them.
"""

import contextlib
import datetime
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from orm import context
from orm.access import UNLIMITED, Grant, Operation
from orm.errors import FilterError, Place, Problem, ValidationError
from orm.filters.parse import BoundFilter, Related, Variable, parse_filter
from orm.metadata import ModelMeta
from orm.registry import Registry
from services.security.rights import Rights, RuleRow

VARIABLES: Final[Mapping[str, Variable]] = MappingProxyType(
    {
        "{{user_id}}": Variable("user_id", 1),
        "{{role_ids}}": Variable("role_ids", [1]),
        "{{now}}": Variable("now", datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)),
    }
)


def parse_domain(
    meta: ModelMeta, domain: Any, *, allowed: Related | None = None, pointer: str = "/domain"
) -> BoundFilter:
    """The filter that a domain stands for, mostly a template. Raises FilterError, with places below
    `pointer`.

    `allowed` gives the grant that the operator of that name asks for; None: a check of the form only."""
    if not isinstance(domain, list | tuple):
        raise FilterError("a domain is a filter: a list of conditions", errors=[_not_a_list(pointer)])
    return parse_filter(meta, _with_variables(domain), allowed=allowed, pointer=pointer)


def variables(user_id: int, role_ids: frozenset[int]) -> dict[str, Any]:
    """The values of all variables for one asker, now."""
    return {"user_id": user_id, "role_ids": sorted(role_ids), "now": datetime.datetime.now(datetime.UTC)}


def is_lasting(rule: BoundFilter) -> bool:
    """Whether a template, once it is bound for an asker, stays as it is: nothing in it is the time."""
    known = {name: value for name, value in variables(0, frozenset()).items() if name != "now"}
    try:
        rule.bound(known)
    except KeyError:
        return False
    return True


def check_table(table: Any, *, pointer: str = "/model") -> None:
    """Raise ValidationError for what is not the table of a model. None is for others to refuse."""
    registry = context.current().registry
    if table is not None and (not isinstance(table, str) or registry.table(table) is None):
        sentence = f"There is no model on the table {table!r}."
        raise ValidationError(sentence, errors=(Place(pointer, "unknown_model", sentence),))


def check_domain(registry: Registry, table: str, domain: Any) -> None:
    """Raise FilterError, with places below /domain, for a domain that does not fit the model on `table`."""
    meta = registry.table(table)
    if meta is not None:
        parse_domain(meta, domain)


def check_no_circle(registry: Registry, rights: Rights) -> None:
    """Raise ValidationError where rules lead back to themselves by `allowed`, whoever asks."""
    leads = _leads(registry, rights)
    done: set[_Node] = set()
    for start in leads:
        circle = _circle(start, leads, [], done)
        if circle:
            way = " -> ".join(f"{table} {operation}" for table, operation in circle)
            sentence = f"These rules ask each other without end: {way}."
            raise ValidationError(sentence, errors=(Place("/domain", "circle", sentence),))


def explained(rule: RuleRow, problem: Problem) -> str:
    """What is wrong with a stored rule, in one sentence that names it."""
    return f"rule {rule.id} ({rule.name}) on {rule.table} cannot be used: {problem.detail}"


def _with_variables(part: Any) -> Any:
    if isinstance(part, list | tuple):
        return [_with_variables(one) for one in part]
    if isinstance(part, str):
        return VARIABLES.get(part, part)
    return part


def _not_a_list(pointer: str) -> Place:
    return Place(pointer, "type", "A domain is a list of conditions.")


_Node = tuple[str, str]


def _leads(registry: Registry, rights: Rights) -> dict[_Node, set[_Node]]:
    """By table and operation, which others its rules ask about."""
    leads: dict[_Node, set[_Node]] = {}
    for rule in rights.every_rule():
        meta = registry.table(rule.table)
        if meta is None:
            continue
        asked = _asked(meta, rule.domain)
        operations: Sequence[str] = rule.operations if isinstance(rule.operations, list) else ()
        for operation in operations:
            leads.setdefault((rule.table, operation), set()).update(asked)
    return leads


def _asked(meta: ModelMeta, domain: Any) -> list[_Node]:
    """What a domain asks about by `allowed`; nothing where it cannot be used anyway."""
    asked: list[_Node] = []

    def note(target: ModelMeta, operation: Operation) -> Grant:
        asked.append((target.table, operation))
        return UNLIMITED

    with contextlib.suppress(FilterError):
        parse_domain(meta, domain, allowed=note)
    return asked


def _circle(
    node: _Node, leads: Mapping[_Node, set[_Node]], way: list[_Node], done: set[_Node]
) -> list[_Node]:
    """The way from a node back to itself, or to one on the way; empty when there is none."""
    if node in way:
        return [*way[way.index(node) :], node]
    if node in done:
        return []
    for following in sorted(leads.get(node, ())):
        circle = _circle(following, leads, [*way, node], done)
        if circle:
            return circle
    done.add(node)
    return []
