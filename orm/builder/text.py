"""The words that statements are put together from: quoted identifiers and numbered placeholders."""


def quote(identifier: str) -> str:
    """An identifier as SQL. It comes from metadata, which admits letters, digits and underscores only."""
    return f'"{identifier}"'


def column(alias: str, name: str) -> str:
    """A column of the row under `alias`."""
    return f'{alias}."{name}"'


VERSION = "xmin"
"""The system column that says which version of a row it is, among the names that a statement gives back.

It is the number of the transaction that wrote the row last, so that every UPDATE changes it, whoever sends
it and whatever it writes, and no column of ours has to be kept. What it is not: it is given anew by a dump
and restore, equal for two changes within one transaction (nobody else can see the first of them), and it
comes round after 2^32 transactions, so that a version is for comparing with one that was read lately, and
not for storing."""


def returned(name: str) -> str:
    """A column of the row that was written, after RETURNING; the version as text."""
    return f"{quote(name)}::text" if name == VERSION else quote(name)


def selected(alias: str, name: str) -> str:
    """A column of the row under `alias`; the version as text."""
    return f"{column(alias, name)}::text" if name == VERSION else column(alias, name)


class ByValues(str):
    """The text of a statement whose best plan depends on its values. Whoever prepares it lets the server
    plan each execution for the values at hand (see orm/link.py).

    A prepared statement may go over to one plan for all values after its fifth execution, when that plan
    looks no dearer than those before it. A LIMIT that is a parameter makes it look dear (see select.py),
    but not dear enough for two shapes. A condition behind a dotted path: a count of a rare value took 19 ms
    instead of 1.5 once common values had been asked for. An OFFSET: after pages deep inside a common value
    the first page of a rare one took 10 ms instead of 0.2.

    What else was weighed: planning every statement for its values (plan_cache_mode) makes a row by id take
    336 microseconds instead of 141; a condition that is always true and looks dear, such as
    `$3 OR (SELECT count(*) FROM a, b) > 0`, costs 0.1 to 0.8 ms of planning; a statement without a name
    costs a round trip more every time."""

    __slots__ = ()


class Parameters:
    """Numbers placeholders in the order in which a statement uses its values."""

    def __init__(self) -> None:
        self.count = 0

    def next(self, type_: str) -> str:
        """The next placeholder, cast to `type_`: nothing is left for the server to guess."""
        self.count += 1
        return f"${self.count}::{type_}"
