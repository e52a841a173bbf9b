"""How a model declares an index of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Index:
    """An index over `fields` (a leading minus: descending), for `DotModel.__indexes__`.

    With `where`, a filter of constants over columns of the row, only rows that pass it are in the index: it
    stays small, and a search that asks for the same condition finds them by it. `unique` says that no two of
    those rows share the values of `fields`; where nothing narrows the rows that is `__unique__`.

        __indexes__ = [Index(["chat_id", "-id"], where=[["pinned", "=", True]])]
    """

    fields: Sequence[str]
    where: Sequence[Any] = ()
    unique: bool = False
