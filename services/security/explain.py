"""Why somebody may, or may not, do something: with which role, which access list, which rule.

It goes the way of the policy (services/security/templates.py) once more, one reason after the other instead
of in one statement, with the rights that are stored now.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from orm.access import OPERATIONS, Grant, Operation
from orm.builder import select as build
from orm.database import Database
from orm.errors import AccessDenied, Problem, RecordNotFound
from orm.filters.parse import BoundFilter
from orm.metadata import ModelMeta
from orm.verbs.read import BY_ID
from services.security.domains import explained, parse_domain, variables
from services.security.rights import Rights, RuleRow, read_rights
from services.security.templates import Circle, Guards, Templates, hidden_fields
from sql import statements

_SQL = statements("security/rights")


class Subject(msgspec.Struct, frozen=True):
    """The user that is asked about."""

    id: int
    login: str
    name: str
    is_admin: bool
    active: bool


class RoleReason(msgspec.Struct, frozen=True):
    """A role of the user. `given` says that he has it himself; else another one of his is based on it."""

    id: int
    code: str
    given: bool


class ListReason(msgspec.Struct, frozen=True):
    """An access list of one of his roles on the table, and whether it allows the operation."""

    id: int
    role: str
    allows: bool


class RuleReason(msgspec.Struct, frozen=True):
    """A rule that binds him. `matches` says whether it lets the row through; None where no row was asked
    about, or where the rule cannot be used: `flaw` says why, and then it denies."""

    id: int
    name: str
    role: str | None
    domain: Any
    matches: bool | None = None
    flaw: str | None = None


class Verdict(msgspec.Struct, frozen=True):
    """Whether the operation is allowed, and the reason in one sentence, with all that was looked at.

    `hidden_fields` are the ones that he may not read, or not write, by their roles."""

    operation: Operation
    allowed: bool
    reason: str
    lists: list[ListReason]
    rules: list[RuleReason]
    guarded: bool
    hidden_fields: list[str]


class Explanation(msgspec.Struct, frozen=True):
    """What one user may do with a model, or with one row of it, when he is signed in without an API key."""

    user: Subject
    model: str
    id: int | None
    roles: list[RoleReason]
    data: list[Verdict]


async def explain(
    db: Database,
    guards: Guards,
    meta: ModelMeta,
    *,
    user_id: int | None = None,
    login: str | None = None,
    id: int | None = None,
    operations: Sequence[Operation] = OPERATIONS,
) -> Explanation:
    """What a user, by id or login, may do with the model of `meta`, or with its row `id`.

    Raises RecordNotFound for a user that does not exist."""
    found = await db.run(_SQL["roles_of_user"], [user_id, login])
    if not found:
        raise RecordNotFound(f"there is no user {login if user_id is None else user_id}")
    subject = Subject(*found[0][:5])
    given: list[int] = found[0]["role_ids"]
    rights = await read_rights(db)
    ids, codes = rights.roles_of(given)
    inquiry = _Inquiry(db, rights, guards, meta, id, subject, Circle(subject.is_admin, ids, codes))
    roles = [RoleReason(one, rights.codes[one], one in given) for one in sorted(ids)]
    return Explanation(subject, meta.table, id, roles, [await inquiry.verdict(one) for one in operations])


class _Inquiry:
    """One user and one model or row."""

    def __init__(
        self,
        db: Database,
        rights: Rights,
        guards: Guards,
        meta: ModelMeta,
        id: int | None,
        subject: Subject,
        circle: Circle,
    ) -> None:
        self._db = db
        self._rights = rights
        self._templates = Templates(rights, guards)
        self._guard = guards.get(meta.table)
        self._meta = meta
        self._id = id
        self._subject = subject
        self._circle = circle

    async def verdict(self, operation: Operation) -> Verdict:
        """Whether he may do this, and why."""
        lists, rules = self._lists(operation), await self._rules(operation)
        refusal = await self._refusal(operation, lists, rules)
        return Verdict(
            operation,
            refusal is None,
            refusal or self._permission(lists, rules),
            lists,
            rules,
            self._guard is not None,
            sorted(hidden_fields(self._circle, self._meta, operation)),
        )

    def _lists(self, operation: Operation) -> list[ListReason]:
        found = self._rights.lists(self._meta.table, self._circle.role_ids)
        return [ListReason(one.id, self._rights.codes[one.role_id], one.allows(operation)) for one in found]

    async def _rules(self, operation: Operation) -> list[RuleReason]:
        found = self._rights.rules(self._meta.table, self._circle.role_ids, operation)
        return [await self._reason(rule) for rule in found]

    async def _reason(self, rule: RuleRow) -> RuleReason:
        role = None if rule.role_id is None else self._rights.codes[rule.role_id]
        try:
            domain = parse_domain(self._meta, rule.domain, allowed=self._allowed)
        except Problem as problem:
            return RuleReason(rule.id, rule.name, role, rule.domain, flaw=explained(rule, problem))
        matches = None if self._id is None else await self._passes(domain)
        return RuleReason(rule.id, rule.name, role, rule.domain, matches)

    async def _refusal(
        self, operation: Operation, lists: Sequence[ListReason], rules: Sequence[RuleReason]
    ) -> str | None:
        """The first reason against it, in the order in which the policy asks."""
        if not self._subject.active:
            return "The user is disabled and cannot sign in."
        if self._id is not None and not await self._passes(BoundFilter()):
            return f"There is no row {self._id} in {self._meta.table}."
        if not await self._passes_guard():
            return f"The module that has {self._meta.table} guards it: the row is not his, whoever he is."
        if self._subject.is_admin:
            return None
        if not any(one.allows for one in lists):
            return f"No access list of his roles allows to {operation} {self._meta.table}."
        for rule in rules:
            if rule.flaw is not None:
                return f"A rule cannot be used, and denies: {rule.flaw}."
            if rule.role is None and rule.matches is False:
                return f"Rule {rule.id} ({rule.name}), which binds everybody, hides the row."
        of_roles = [rule for rule in rules if rule.role is not None]
        if of_roles and self._id is not None and not any(rule.matches for rule in of_roles):
            return "None of the rules of his roles lets the row through."
        return None

    def _permission(self, lists: Sequence[ListReason], rules: Sequence[RuleReason]) -> str:
        if self._subject.is_admin:
            return "He is an administrator: access lists, rules and field roles do not bind him."
        by_list = next(one for one in lists if one.allows)
        sentence = f"Access list {by_list.id} of role {by_list.role} allows it"
        matching = [
            f"rule {rule.id} ({rule.name})" for rule in rules if rule.matches and rule.role is not None
        ]
        if matching:
            return f"{sentence}, and {' and '.join(matching)} lets the row through."
        if self._id is None and rules:
            return f"{sentence}, for rows that its rules let through."
        return f"{sentence}."

    def _allowed(self, meta: ModelMeta, operation: Operation) -> Grant:
        template = self._templates.make(self._circle, meta, operation)
        if template.denial is not None:
            raise AccessDenied(template.denial)
        return template.grant

    async def _passes_guard(self) -> bool:
        if self._guard is None or self._id is None:
            return True
        return await self._passes(parse_domain(self._meta, self._guard, allowed=self._allowed))

    async def _passes(self, filter: BoundFilter) -> bool:
        bound = filter.bound(variables(self._subject.id, self._circle.role_ids))
        text = build.exists(self._meta, (BY_ID, bound.shape))
        passes: bool = (await self._db.run(text, [self._id, *bound.values]))[0][0]
        return passes
