"""The one family of errors that callers can act on; every one carries a stable machine code.

`code` is what programs look at and the edge turns into a status; `detail` is one sentence for people;
`errors` name places inside the input by JSON pointer. Nothing here speaks of HTTP."""

from collections.abc import Sequence
from typing import ClassVar

import msgspec


class Place(msgspec.Struct, frozen=True):
    """One place of an input that is wrong: a JSON pointer into it, a machine code, a sentence."""

    pointer: str
    code: str
    message: str


class Problem(Exception):
    """Something that the caller can understand and act on. Subclasses fix `code`."""

    code: ClassVar[str] = "internal"

    def __init__(self, detail: str = "", *, errors: Sequence[Place] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)


class RecordNotFound(Problem):
    """No such row, or none that the asker may see: the two are not told apart. Check the id."""

    code = "not_found"


class AccessDenied(Problem):
    """The object or field is known to the asker, the right to do this with it is missing."""

    code = "denied"


class Invalid(Problem):
    """The input is well-formed but wrong; `errors` says where."""

    code = "invalid"


class ValidationError(Invalid):
    """A value does not fit its field; nothing was sent to the database."""


class FilterError(Invalid):
    """A filter, field list, order or aggregate names something unknown or has a value of the wrong
    type."""


class CursorError(Invalid):
    """An `after` cursor is forged, damaged, or belongs to another model, order or filter: start from the
    first page."""


class Violation(Problem):
    """A constraint of the database is against it. `model` is the one whose constraint it is, `fields` are
    those that it is about; where they are not known, as for a constraint made by hand, there are none."""

    code = "conflict"

    def __init__(
        self, detail: str = "", *, errors: Sequence[Place] = (), model: str = "", fields: Sequence[str] = ()
    ) -> None:
        super().__init__(detail, errors=errors)
        self.model = model
        self.fields = tuple(fields)

    @property
    def field(self) -> str:
        """The first of `fields`; "" when there is none."""
        return self.fields[0] if self.fields else ""


class NotNullViolation(Invalid, Violation):
    """A required column would have become null."""


class CheckViolation(Invalid, Violation):
    """A value breaks a CHECK constraint of the table."""


class Conflict(Problem):
    """The change contradicts what is stored now."""

    code = "conflict"


class UniqueViolation(Conflict, Violation):
    """Another row has this value already."""


class ForeignKeyViolation(Conflict, Violation):
    """The row refers to one that does not exist, or is still referred to."""


class StaleRow(Problem):
    """The row is not the one that was read: somebody changed it since. Read it again, then write."""

    code = "precondition_failed"


class TransactionConflict(Conflict):
    """Concurrent transactions got in each other's way (deadlock, serialization failure): try the whole of
    it again."""


class Unavailable(Problem):
    """The thing asked for cannot be had at the moment; `retry_after_seconds` says when to come back."""

    code = "unavailable"

    def __init__(self, detail: str = "", *, retry_after_seconds: int = 1) -> None:
        super().__init__(detail)
        self.retry_after_seconds = retry_after_seconds


class DatabaseUnavailable(Unavailable):
    """The database cannot be reached, or ended the connection while it was in use."""


class PoolExhausted(Unavailable):
    """Every connection was in use for as long as the pool lets a caller wait."""


class StatementTimeout(Problem):
    """A statement ran into the statement timeout: narrow the question."""

    code = "database_timeout"


class DeclarationError(Exception):
    """A model is declared wrongly. The sentence names the model, the field and the remedy."""


class UsageError(Exception):
    """The ORM is used in a way that cannot work: a mistake in the program, not in its input."""


class Unbound(UsageError):
    """A verb was called where no environment is bound: call it inside a request, the lifespan, or `with
    env.bind():`."""


class FieldNotLoaded(UsageError, AttributeError):
    """A field was read that was not asked for. Name it in `fields`, or call `refresh()`."""


class ConcurrentUse(UsageError):
    """One transaction was used from two tasks at once. Await the verbs one after the other, or open one
    each."""


class TransactionOver(UsageError):
    """A transaction was used after its block had ended, mostly by a task that outlived it."""
