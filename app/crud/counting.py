"""How many rows pass a filter in all, as nearly as a search wants to know it.

`exact` rides in the statement of the page. `estimated` is the planner's guess, in one more round trip and in
a time that does not grow with the table; it is exact where that costs next to nothing. The guess is made from
statistics of the whole table: asked with one filter after another it would tell of rows that a rule hides. So
whoever does not see every row gets the exact number of those that he sees.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from orm.access import Grant, Operation
from orm.filters.parse import parse_filter
from orm.metadata import ModelMeta
from orm.verbs.read import many, search_count
from orm.verbs.scope import Scope

if TYPE_CHECKING:
    from orm.model import DotModel

CHEAP_ROWS: Final = 10_000
"""An estimate of no more rows than this may be replaced by the exact number ..."""

CHEAP_COST: Final = 1_000.0
"""... where the planner expects no more work than this to find them: some 5 ms, a thousand pages in order."""

_EXPLAIN: Final = "EXPLAIN (FORMAT JSON) "
_ID: Final = ("id",)


def sees_every_row(cls: "type[DotModel]", filter: Sequence[Any]) -> bool:
    """Whether no rule narrows the rows of the model, or of any other that `filter` looks at, for the asker.

    Raises what a search with the filter would raise."""
    scope = Scope(cls, "read", api=True)
    rules = [scope.grant.rule]

    def related(meta: ModelMeta, operation: Operation) -> Grant:
        grant = scope.grant_on(meta, operation)
        rules.append(grant.rule)
        return grant

    parse_filter(
        scope.meta,
        filter,
        hidden=scope.grant.hidden,
        related=related,
        limits=scope.limits,
        pointer=scope.place("filter"),
    )
    return all(rule is None for rule in rules)


async def estimated_count(cls: "type[DotModel]", filter: Sequence[Any]) -> int:
    """About how many rows pass `filter`; for an asker who sees every row."""
    reading = many(cls, filter, _ID, api=True)
    rows = await reading.scope.db.run(_EXPLAIN + reading.text, reading.values)
    plan = msgspec.json.decode(rows[0][0])[0]["Plan"]
    guess: int = plan["Plan Rows"]
    if guess <= CHEAP_ROWS and plan["Total Cost"] <= CHEAP_COST:
        return await search_count(cls, filter, api=True)
    return guess
