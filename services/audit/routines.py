"""The functions and triggers of the log, made together with the tables."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from orm.metadata import ModelMeta
from sql import statements

_SQL = statements("audit/routines")

_FUNCTIONS: Final = (
    "tables",
    "refuse_function",
    "stamp_function",
    "enqueue_function",
    "trim_function",
    "row_function",
    "pin_functions",
    "guards",
    "watch_function",
)
"""In the order in which they can be made."""


def routines(models: Iterable[ModelMeta]) -> dict[str, str]:
    """By name the SQL that makes the log and watches the tables of those `models` that are audited, and no
    others."""
    texts = {f"audit {name}": _SQL[name] for name in _FUNCTIONS}
    wanted = msgspec.json.encode(watched_tables(models)).decode()
    # Names of tables and columns are letters, digits and underscores: there is no quote among them.
    texts["audit watch"] = f"SELECT audit_watch('{wanted}')"
    return texts


def watched_tables(models: Iterable[ModelMeta]) -> Mapping[str, list[str]]:
    """By table the columns that are private: of audited models, and of the links of their rows to others."""
    tables: dict[str, list[str]] = {}
    for meta in models:
        if meta.audit:
            tables[meta.table] = sorted(meta.private & frozenset(meta.columns))
            tables |= {link.table: [] for link in meta.links}
    return dict(sorted(tables.items()))
