"""Who may do what, written as a table and compared with what happens over HTTP, on every path of the API.

    async def test_access(starling, as_user, assert_access_matrix):
        ada = await as_user("ada", roles=["base_user"])
        mine = (await ada.post("/api/partners", json={"name": "Acme"})).json()["id"]
        await assert_access_matrix(
            {
                "base_user": {"partners": "crud", "partner_categories": "r"},
                "manager": {"partners": ACL.FULL, "partner_categories": "crud"},
            },
            rows={"partners": {mine: {"base_user": "rud", "manager": "rud"}}},
            users={"base_user": ada},
        )

Rights are letters (c r u d, "" for nothing) or an ACL; "*" in place of a table is every table of the API
that the role does not name. `rows` says of single rows what may be done with them; a role that is not named
there may do nothing with the row. `users` gives clients that are signed in with a role already (whose rows
are in question, perhaps); for other roles users are made. `samples` are rows that can be made, by table, or
functions that give one for a client: needed where a field cannot be filled from its declaration.

Every probe that writes runs in a transaction of its own that is rolled back. All differences are told at
once.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Any, Final, Protocol

import httpx
import msgspec

from app.core.access_presets import ACL
from app.testing.application import StarlingApp
from app.testing.client import Client
from app.testing.probes import Probe, counting_probes, listing_probes, made_up, row_probes, table_probes
from orm.access import OPERATIONS, Operation
from orm.metadata import ModelMeta

Rights = str | ACL
Sample = Mapping[str, Any] | Callable[[Client], Mapping[str, Any]]

EVERY_OTHER_TABLE: Final = "*"

_LETTERS: Final[Mapping[str, Operation]] = {operation[0]: operation for operation in OPERATIONS}
_DENIED: Final = frozenset({401, 403, 404, 405})
_LONGEST_ANSWER: Final = 120


class AssertAccessMatrix(Protocol):
    """The fixture `assert_access_matrix`."""

    def __call__(
        self,
        table: Mapping[str, Mapping[str, Rights]],
        *,
        rows: Mapping[str, Mapping[int, Mapping[str, Rights]]] = ...,
        users: Mapping[str, Client] = ...,
        samples: Mapping[str, Sample] = ...,
    ) -> Awaitable[None]:
        """Raise AssertionError unless `table` and `rows` are what happens."""


class Difference(msgspec.Struct, frozen=True):
    """One answer that is not what the table says."""

    role: str
    table: str
    operation: str
    path: str
    expected: str
    answered: str


def matrix_of(starling: StarlingApp) -> AssertAccessMatrix:
    """`assert_access_matrix` for that application."""

    async def assert_access_matrix(
        table: Mapping[str, Mapping[str, Rights]],
        *,
        rows: Mapping[str, Mapping[int, Mapping[str, Rights]]] | None = None,
        users: Mapping[str, Client] | None = None,
        samples: Mapping[str, Sample] | None = None,
    ) -> None:
        rows, users, samples = rows or {}, users or {}, samples or {}
        found: list[Difference] = []
        asked = 0
        for role, tables in table.items():
            user = users.get(role) or await starling.as_user(roles=[role])
            for meta, rights in _resolved(starling, role, tables):
                comparison = _Comparison(starling, role, user, meta)
                sample = samples.get(meta.table)
                await comparison.with_table(rights, sample(user) if callable(sample) else sample)
                here = rows.get(meta.table, {}).items()
                own = {row_id: _operations(by_role.get(role, "")) for row_id, by_role in here}
                if own:
                    await comparison.with_rows(own)
                found += comparison.differences
                asked += comparison.asked
        if found:
            raise AssertionError(
                f"{len(found)} of {asked} answers differ from the access matrix\n\n{_shown(found)}"
            )

    return assert_access_matrix


class _RollBack(Exception):
    """Raised to leave a transaction without a trace."""


class _Comparison:
    """One role and one table: asks, and notes what differs."""

    def __init__(self, starling: StarlingApp, role: str, user: Client, meta: ModelMeta) -> None:
        self.differences: list[Difference] = []
        self.asked = 0
        self._starling = starling
        self._role = role
        self._user = user
        self._meta = meta

    async def with_table(self, rights: frozenset[Operation], sample: Mapping[str, Any] | None) -> None:
        """Compare with the rights on the table."""
        if sample is None:
            sample = made_up(self._meta)
        if sample is None and "create" in rights:
            table = self._meta.table
            raise AssertionError(f"a row of {table} cannot be made up: give samples={{{table!r}: {{...}}}}")
        for probe in table_probes(self._meta, sample):
            await self._compare(probe, probe.operation in rights)

    async def with_rows(self, rights: Mapping[int, frozenset[Operation]]) -> None:
        """Compare with the rights on single rows."""
        for row_id, operations in rights.items():
            for probe in row_probes(self._meta, row_id):
                await self._compare(probe, probe.operation in operations)
        readable = {row_id for row_id, operations in rights.items() if "read" in operations}
        for probe in listing_probes(self._meta, list(rights)):
            answer = await self._ask(probe)
            listed = {row["id"] for row in _data(answer)} if answer.status_code == 200 else set()
            for row_id in sorted(listed ^ readable):
                self._note(probe, f"row {row_id} {_word(row_id in readable)}", _word(row_id in listed))
            if answer.status_code == 200 and (total := answer.json()["total"]) != len(listed):
                self._note(probe, f"a total of {len(listed)}", str(total))
        for probe in counting_probes(self._meta, list(rights)):
            expected = sum(probe.operation in operations for operations in rights.values())
            answer = await self._ask(probe)
            count = answer.json()["count"] if answer.status_code == 200 else 0
            if count != expected and answer.status_code != 409:
                self._note(probe, f"{expected} rows", f"{count} rows" if answer.is_success else _told(answer))

    async def _compare(self, probe: Probe, expected: bool) -> None:
        answer = await self._ask(probe)
        if answer.status_code in (probe.granted if expected else _DENIED - probe.granted):
            return
        self._note(probe, "allowed" if expected else "denied", _told(answer))

    async def _ask(self, probe: Probe) -> httpx.Response:
        self.asked += 1
        url = f"{probe.path}?{probe.query}" if probe.query else probe.path
        if probe.operation == "read":
            return await self._user.request(probe.method, url, json=probe.body)
        answers = []
        try:
            # The request runs in this task, so that what it writes belongs to this transaction.
            async with self._starling.env.db.transaction():
                answers.append(await self._user.request(probe.method, url, json=probe.body))
                raise _RollBack
        except _RollBack:
            return answers[0]

    def _note(self, probe: Probe, expected: str, answered: str) -> None:
        self.differences.append(
            Difference(self._role, self._meta.table, probe.operation, probe.name, expected, answered)
        )


def _resolved(
    starling: StarlingApp, role: str, tables: Mapping[str, Rights]
) -> Iterator[tuple[ModelMeta, frozenset[Operation]]]:
    """The models that `tables` is about, with the rights on each. Raises AssertionError for a table without
    an API, and for rights to write one that is only read there."""
    exposed = {meta.table: meta for meta in starling.env.registry if meta.auto_crud}
    unknown = [table for table in tables if table not in exposed and table != EVERY_OTHER_TABLE]
    if unknown:
        raise AssertionError(
            f"no API for {', '.join(unknown)}; there is one for: {', '.join(sorted(exposed))}"
        )
    for table, meta in exposed.items():
        rights = tables.get(table, tables.get(EVERY_OTHER_TABLE))
        if rights is None:
            continue
        operations = _operations(rights)
        if meta.auto_crud == "read":
            if table in tables and operations - {"read"}:
                raise AssertionError(
                    f"{role}: {table} is only read in the API made from its model, and written by routes of "
                    "its own, which this table cannot know: write 'r' or ''"
                )
            operations &= {"read"}
        yield meta, operations


def _operations(rights: Rights) -> frozenset[Operation]:
    if isinstance(rights, ACL):
        return rights.operations
    wrong = set(rights) - _LETTERS.keys()
    if wrong:
        raise AssertionError(f"{rights!r} are no rights: write some of c r u d, '' for none, or an ACL")
    return frozenset(_LETTERS[letter] for letter in rights)


def _data(answer: httpx.Response) -> Any:
    return answer.json()["data"]


def _word(is_seen: bool) -> str:
    return "listed" if is_seen else "absent"


def _told(answer: httpx.Response) -> str:
    if answer.status_code in (200, 201, 204, 403, 404):
        return str(answer.status_code)
    return f"{answer.status_code} {answer.text[:_LONGEST_ANSWER]}"


def _shown(differences: Iterable[Difference]) -> str:
    """The differences as a table, its columns as wide as their longest cell."""
    header = tuple(name for name in Difference.__struct_fields__)
    lines = [header, *(msgspec.structs.astuple(one) for one in differences)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
