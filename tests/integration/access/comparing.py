"""One case of random rights: what happens, and what a naive evaluator says should."""

import datetime as dt
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from app.core.access import AccessSession, reset_access_session, set_access_session
from orm import AccessDenied, Database
from orm.access import OPERATIONS
from orm.verbs.create import create_row
from orm.verbs.delete import delete_many
from orm.verbs.read import many, search_count
from orm.verbs.update import update_many
from services.security.policy import Policy
from services.security.rights import read_rights
from tests.integration.access.larder import KEPT_FOR, MODELS, PRIVATE, RELATIONS, ROLES
from tests.integration.access.random_rights import Case
from tests.support.filter_oracle import Tables
from tests.support.rights_oracle import Denied, RightsOracle, Said

OWN_VALUES: Final = frozenset({"number", "word", "secret", "token", "at", "shelf_id", "parent_id", "best_id"})

DENIED: Final = "denied"


class _RollBack(Exception):
    """Leaves a transaction without a trace."""


@dataclass
class Tally:
    """How much the cases could tell."""

    cases: int = 0
    denied: int = 0
    narrowed: int = 0
    """Cases in which some rows of a table are seen and some are not."""
    searched: int = 0
    """Searches that find something, and not all that the asker sees."""
    written: int = 0
    """Writes that change something, and not all rows."""


@dataclass
class Comparison:
    """One case: what is done, and what should have come of it."""

    db: Database
    policy: Policy
    case: Case
    tables: Tables
    tally: Tally
    wrong: list[str] = field(default_factory=list)

    async def run(self) -> None:
        """Store the rights, ask, and put everything back."""
        try:
            async with self.db.transaction():
                await store(self.db.run, self.case)
                rights = await read_rights(self.db)
                self.policy.use(rights)
                ids, codes = rights.roles_of(self.case.direct)
                self.oracle = self._make_oracle()
                self._same("his roles", ids, self.oracle.roles)
                token = set_access_session(
                    AccessSession(
                        user_id=self.case.user_id,
                        login="ada",
                        name="Ada",
                        is_admin=self.case.is_admin,
                        role_ids=ids,
                        role_codes=codes,
                    )
                )
                try:
                    await self._sees()
                    await self._searches()
                    await self._writes()
                finally:
                    reset_access_session(token)
                raise _RollBack
        except _RollBack:
            return

    def _make_oracle(self) -> RightsOracle:
        return RightsOracle(
            tables=self.tables,
            relations=RELATIONS,
            bases=self.case.bases,
            lists=self.case.lists,
            rules=self.case.rules,
            kept_for=KEPT_FOR,
            private=PRIVATE,
            direct=self.case.direct,
            user_id=self.case.user_id,
            is_admin=self.case.is_admin,
            now=dt.datetime.now(dt.UTC),
        )

    def _same(self, what: str, found: object, expected: object) -> None:
        if found != expected:
            self.wrong.append(f"{what}: found {found}, expected {expected}")

    # -- reading

    async def _sees(self) -> None:
        for table, cls in MODELS.items():
            expected = expect(lambda table=table: self.oracle.ids(table, "read"))
            found = await happens(ids_of(cls))
            self._same(f"{table} seen", found, expected)
            self.tally.denied += expected == DENIED
            self.tally.narrowed += expected != DENIED and 0 < len(expected) < len(self.tables[table])

    async def _searches(self) -> None:
        case = self.case
        expected = expect(lambda: self.oracle.found(case.table, case.filter))
        counted = await happens(search_count(MODELS[case.table], case.filter, api=True))
        self._same("search_count", counted, expected if expected == DENIED else len(expected))
        shown = expect(lambda: self._shown(expected))
        fields = ["id", *(f"{name}.word" for name in case.fields)]
        found = await happens(rows_of(MODELS[case.table], case.filter, fields))
        self._same(f"what is shown as {fields}", found, shown)
        self.tally.searched += expected != DENIED and 0 < len(expected) < len(
            self.oracle.ids(case.table, "read")
        )

    def _shown(self, ids: Any) -> Any:
        """The rows of a search as JSON, with what is seen of the relations that were asked for."""
        if ids == DENIED:
            raise Denied
        rows = [
            {"id": key, **{name: self._led_to(key, name) for name in self.case.fields}} for key in sorted(ids)
        ]
        for name in self.case.fields:
            self.oracle.ids(RELATIONS[self.case.table, name].target, "read")  # denied also without any row
        return rows

    def _led_to(self, key: int, name: str) -> Any:
        """What a relation of a row shows: the rows that are seen; of a single one that is not its id, which
        stands in the row itself."""
        row, relation = self.tables[self.case.table][key], RELATIONS[self.case.table, name]
        seen, there = self.oracle.ids(relation.target, "read"), self.tables[relation.target]
        led_to = sorted(relation.find(self.tables, row))
        if relation.is_to_many:
            return [{"id": other, "word": there[other]["word"]} for other in led_to if other in seen]
        shown = [
            {"id": other} | ({"word": there[other]["word"]} if other in seen else {}) for other in led_to
        ]
        return shown[0] if shown else None

    # -- writing

    async def _writes(self) -> None:
        await getattr(self, f"_{self.case.write}")()

    async def _update(self) -> None:
        expected = expect(lambda: self._writable("update"))
        count = await happens(update_many(self._cls, [], {"mark": "x"}, True, api=True))
        await self._check_write(count, expected, await self._raw_ids("mark = 'x'"))

    async def _delete(self) -> None:
        expected = expect(lambda: self._writable("delete"))
        count = await happens(delete_many(self._cls, [], True, api=True))
        gone = frozenset(self.tables[self.case.table]) - await self._raw_ids("true")
        await self._check_write(count, expected, gone)

    async def _change(self) -> None:
        """Values that rules are about: the new row has to pass them, too."""
        expected = expect(self._changeable)
        if expected is None:
            return
        values = {**self.case.written, "mark": "x"}
        count = await happens(update_many(self._cls, [], values, True, api=True))
        await self._check_write(count, expected, await self._raw_ids("mark = 'x'"))

    async def _create(self) -> None:
        row = {**dict.fromkeys(OWN_VALUES), **self.case.written}
        expected = expect(lambda: self._passes_by_itself("create", row))
        if expected is None:
            return
        made = await happens(create_row(self._cls, self.case.written))
        self._same("a row is created", made != DENIED, expected is True)
        if made == DENIED:
            self._same(
                "and none is left behind", len(await self._raw_ids("true")), len(self.tables[self.case.table])
            )
            return
        hidden = [name for name in made[0].names if not self.oracle.may_name(self.case.table, name)]
        self._same("hidden fields that its maker is shown", hidden, [])

    @property
    def _cls(self) -> Any:
        return MODELS[self.case.table]

    def _writable(self, operation: str) -> frozenset[int]:
        """The rows that he may write, which he must see as well."""
        return self.oracle.ids(self.case.table, "read") & self.oracle.ids(self.case.table, operation)

    def _changeable(self) -> frozenset[int] | None:
        ids = self._writable("update")
        rows = [{**self.tables[self.case.table][key], **self.case.written} for key in ids]
        passes = [self._passes_by_itself("update", row) for row in rows]
        if None in passes:
            return None
        if not all(passes):
            raise Denied
        return ids

    def _passes_by_itself(self, operation: str, row: Mapping[str, Any]) -> bool | None:
        """Whether a row may be, as far as its own values tell; None where they do not tell all."""
        table = self.case.table
        self.oracle.ids(table, operation)
        if not self.case.is_admin and not all(
            map(is_about_own_values, self.oracle.binding(table, operation))
        ):
            return None
        return self.oracle.passes(table, operation, row)

    async def _raw_ids(self, condition: str) -> frozenset[int]:
        rows = await self.db.run(f"SELECT id FROM {self.case.table} WHERE {condition}")
        return frozenset(row[0] for row in rows)

    async def _check_write(self, count: Any, expected: Any, touched: frozenset[int]) -> None:
        is_denied = expected == DENIED
        self._same(f"{self.case.write}: count", count, DENIED if is_denied else len(expected))
        self._same(f"{self.case.write}: rows", touched, frozenset() if is_denied else expected)
        self.tally.written += 0 < len(touched) < len(self.tables[self.case.table])


async def store(run: Callable[..., Awaitable[Any]], case: Case) -> None:
    """The rights of the case are the only ones."""
    await run(
        "INSERT INTO roles (id, code, name) SELECT * FROM unnest($1::bigint[], $2::text[], $2::text[])",
        [list(ROLES), list(ROLES.values())],
    )
    await run(
        "INSERT INTO role_bases (role_id, based_role_id) SELECT * FROM unnest($1::bigint[], $2::bigint[])",
        [[role for role, _ in case.bases], [base for _, base in case.bases]],
    )
    columns = ", ".join(f"can_{operation}" for operation in OPERATIONS)
    await run(
        f"INSERT INTO access_lists (role_id, model, {columns}) SELECT * FROM unnest("
        "$1::bigint[], $2::text[], $3::bool[], $4::bool[], $5::bool[], $6::bool[])",
        [
            [role for role, _ in case.lists],
            [table for _, table in case.lists],
            *([operation in may for may in case.lists.values()] for operation in OPERATIONS),
        ],
    )
    await run(
        "INSERT INTO rules (name, model, role_id, domain, operations, active) SELECT * FROM unnest("
        "$1::text[], $2::text[], $3::bigint[], $4::text[]::jsonb[], $5::text[]::jsonb[], $6::bool[])",
        [
            [f"rule {n}" for n, _ in enumerate(case.rules)],
            [rule.table for rule in case.rules],
            [rule.role for rule in case.rules],
            [msgspec.json.encode(rule.domain).decode() for rule in case.rules],
            [msgspec.json.encode(sorted(rule.operations)).decode() for rule in case.rules],
            [rule.active for rule in case.rules],
        ],
    )


def expect(question: Any) -> Any:
    """What the oracle says, DENIED when it refuses."""
    try:
        return question()
    except Denied:
        return DENIED


async def happens(work: Awaitable[Any]) -> Any:
    """What comes of it, DENIED when it is refused."""
    try:
        return await work
    except AccessDenied:
        return DENIED


async def ids_of(cls: Any) -> frozenset[int]:
    return frozenset(row["id"] for row in await many(cls, (), ["id"], api=True).rows())


async def rows_of(cls: Any, filter: Sequence[Any], fields: Sequence[str]) -> Any:
    reading = many(cls, filter, fields, order="id", api=True)
    return msgspec.json.decode(msgspec.json.encode(await reading.payload(await reading.rows())))


def is_about_own_values(rule: Said) -> bool:
    """Whether a rule looks at nothing but the columns of the row that it is about."""

    def is_own(condition: Sequence[Any]) -> bool:
        head, *rest = condition
        if head in ("and", "or", "not"):
            return all(map(is_own, rest))
        return head in OWN_VALUES and rest[0] not in ("some", "none", "allowed")

    return all(map(is_own, rule.domain))
