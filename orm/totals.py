"""Which counted searches find few rows: so the one or the other statement is the cheaper one.

The total of a page is counted apart, by a second look at all rows that pass, or along with the rows, by a
window function that has to keep all of them before the page is cut. For few rows the latter saves a look (88
of 450 us for 40 of 200 rows); for many it is three times as dear (90,000 rows: 25 ms instead of 9). What a
search found is the best guess at what it will find."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Final

FEW: Final = 1_000
"""Rows that are worth being kept, to be looked at once."""

CAPACITY: Final = 2_048
"""Searches remembered."""


class Totals:
    """What searches found, by a key that is the same for the same question, whatever its values are.

    One that ever found many is not few again: so a wrong guess costs each of them one dear statement in all.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._few: OrderedDict[Hashable, bool] = OrderedDict()

    def are_few(self, key: Hashable) -> bool:
        """Whether no search with this key has found many, and one at least has found few."""
        return self._few.get(key, False)

    def note(self, key: Hashable, total: int) -> None:
        """A search with this key found so many rows."""
        is_few = total <= FEW and self._few.get(key, True)
        if self._few.get(key) is not is_few:
            self._few[key] = is_few
            if len(self._few) > self._capacity:
                self._few.popitem(last=False)
