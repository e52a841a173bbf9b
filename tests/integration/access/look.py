"""One asker in front of one table: what there is, what he should see of it, and how he asks."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx
import msgspec

from orm.fields.relations import Many2manyField, Many2oneField, One2manyField
from orm.metadata import ModelMeta
from tests.integration.access import oracle
from tests.integration.access.building import Asker, Building, may_read

ABSENT: Final = 987_654_321
"""The id of no row."""


class RollBack(Exception):
    """Leaves a transaction without a trace."""


@dataclass(frozen=True)
class Look:
    """One asker in front of one table. `seen`, `changed` and `removed` are the ids that he may read, update
    and delete over the API; None when he has no right to do so at all."""

    building: Building
    asker: Asker
    meta: ModelMeta
    seen: frozenset[int] | None
    changed: frozenset[int] | None
    removed: frozenset[int] | None

    # -- what there is

    @property
    def table(self) -> str:
        return self.meta.table

    @property
    def path(self) -> str:
        return f"/api/{self.meta.route}"

    @property
    def rows(self) -> Mapping[int, Mapping[str, Any]]:
        """All rows, seen or not."""
        return self.building.rows[self.table]

    @property
    def ids(self) -> list[int]:
        return sorted(self.rows)

    @property
    def hidden(self) -> frozenset[str]:
        """The fields that he may not name."""
        return frozenset(name for name in self.meta.fields if not may_read(self.asker, self.table, name))

    @property
    def columns(self) -> list[str]:
        """The stored fields that he reads."""
        return [name for name in self.meta.columns if name not in self.hidden]

    @property
    def relations(self) -> list[str]:
        """The relations that he may name."""
        return [name for name in self.meta.targets if name not in self.hidden]

    async def behind(self, name: str) -> frozenset[int] | None:
        """The ids that he reads of the table behind a relation, None without the right."""
        return await self.building.ids(self.asker, self.meta.targets[name].table, "read")

    def led_to(self, key: int, name: str) -> frozenset[int]:
        """The ids of the rows that a relation of a row leads to, seen or not."""
        relation, target = self.meta.fields[name], self.meta.targets[name].table
        if isinstance(relation, Many2oneField):
            other = self.rows[key][name]
            return frozenset() if other is None else frozenset({other})
        if isinstance(relation, One2manyField):
            there = self.building.rows[target]
            return frozenset(row for row, values in there.items() if values[relation.inverse] == key)
        assert isinstance(relation, Many2manyField)
        links = self.building.links[relation.table]
        return frozenset(link[relation.column2] for link in links if link[relation.column1] == key)

    # -- what is asked

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """The answer; noted as a problem when it fails, or shows what he may not see."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await self.asker.client.request(method, path, json=body, headers=named)
        sent = f"{path} {body}"
        if answer.status_code >= 500:
            self.wrong(method, path, f"answered {answer.status_code} {answer.text}", body)
        shown = f"{answer.text} {answer.headers}"
        for leak in await self.building.leaks(self.asker, shown, but_for=sent):
            self.wrong(method, path, f"shows {leak}", body)
        return answer

    async def try_(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """The same, whatever it writes being taken back."""
        answers = []
        async with self.undone():
            answers.append(await self.ask(method, path, body, **headers))
        return answers[0]

    @asynccontextmanager
    async def undone(self) -> AsyncIterator[None]:
        """A transaction that requests in this task belong to, taken back at the end of the block."""
        try:
            async with self.building.starling.env.db.transaction():
                yield
                raise RollBack
        except RollBack:
            return

    async def inside(self, sql: str, *values: Any) -> list[Any]:
        """Rows as the open transaction sees them."""
        return await self.building.starling.env.db.run(sql, list(values))

    def same(self, method: str, path: str, found: Any, expected: Any, body: Any = None) -> None:
        """Note a problem unless both are the same."""
        if found != expected:
            self.wrong(method, path, f"found {found}, expected {expected}", body)

    def wrong(self, method: str, path: str, what: str, body: Any = None) -> None:
        sent = "" if body is None else f" {msgspec.json.encode(body).decode()}"
        self.building.problems.append(
            f"{self.asker.name} ({self.asker.kind}): {method} {path}{sent[:300]}: {what[:600]}"
        )


Path = Callable[[Look], Awaitable[None]]
"""Asks on one path, and notes what is wrong."""


def may_write(asker: Asker, table: str, name: str) -> bool:
    """Whether the field may be written, as far as roles go."""
    kinds = oracle.WRITTEN_BY.get((table, name))
    return kinds is None or asker.kind == "administrator" or asker.kind in kinds


async def every_look(building: Building) -> list[Look]:
    """Everybody in front of every table.

    Of the two clerks one has rows; that the other does not see them, is asked of one of them."""
    askers = [asker for asker in building.askers.values() if asker.name != "bob"]
    return [await look_at(building, asker, meta) for meta in building.models for asker in askers]


async def look_at(building: Building, asker: Asker, meta: ModelMeta) -> Look:
    """One of them in front of one table."""
    read = await building.ids(asker, meta.table, "read")
    update = await building.ids(asker, meta.table, "update")
    delete = await building.ids(asker, meta.table, "delete")
    # Over the API a row that one does not see is not written either.
    return Look(
        building,
        asker,
        meta,
        read,
        None if read is None or update is None else read & update,
        None if read is None or delete is None else read & delete,
    )
