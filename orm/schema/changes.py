"""What is to be done to a database, and what is only said of it."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Change:
    """One thing to do, for a migration: a sentence that says why, and the statements that do it.

    `is_needed`: the program does not work without it. `outside_transaction`: the statements run one by
    one, because building an index beside running work cannot be part of a transaction."""

    sentence: str
    statements: tuple[str, ...]
    is_needed: bool = True
    outside_transaction: bool = False


@dataclass(slots=True)
class Difference:
    """`safe` are statements that may run at start, in their order; `changes` wait for a migration; `notes`
    are what a person may want to know and no migration is written for."""

    safe: list[str] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def obstacles(self) -> list[str]:
        """Why the program cannot work with this database, a sentence each; empty when it can."""
        return [change.sentence for change in self.changes if change.is_needed]
