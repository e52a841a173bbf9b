"""Errors of the driver turned into ours, where the driver is called, the cause chained."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import asyncpg

from orm.errors import (
    AccessDenied,
    CheckViolation,
    DatabaseUnavailable,
    ForeignKeyViolation,
    Invalid,
    NotNullViolation,
    Place,
    Problem,
    StatementTimeout,
    TransactionConflict,
    UniqueViolation,
    UsageError,
)

if TYPE_CHECKING:
    from orm.registry import Registry

DRIVER_ERRORS: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)
"""Everything that a call of the driver raises apart from cancellation."""

_LOST: Final = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InternalClientError,  # the protocol out of step: what a server that went away looks like
    OSError,
    TimeoutError,
)

_FULL: Final = (asyncpg.InsufficientResourcesError,)  # of disk, memory, connections


def translate(error: BaseException, registry: "Registry | None") -> Exception | None:
    """Our error for one of the driver, or None when there is nothing better to say than the driver's
    own."""
    for kinds, make in _TABLE:
        if isinstance(error, kinds):
            return make(error, registry)
    return None


@asynccontextmanager
async def translated_connect() -> AsyncIterator[None]:
    """Inside the block a connection that cannot be made raises DatabaseUnavailable, the driver's error as
    its cause."""
    try:
        yield
    except (*DRIVER_ERRORS, ValueError) as error:
        raise DatabaseUnavailable("the database cannot be reached") from error


def _unique(error: asyncpg.UniqueViolationError, registry: "Registry | None") -> Exception:
    model, fields = _place(error, registry)
    names = fields or ("value",)
    sentence = f"another {model} has this {' and '.join(names)}"
    places = [Place(f"/{name}", "unique", sentence) for name in fields]
    return UniqueViolation(sentence, errors=places, model=model, fields=fields)


def _foreign_key(error: asyncpg.ForeignKeyViolationError, registry: "Registry | None") -> Exception:
    model, fields = _place(error, registry)
    name = fields[0] if fields else "reference"
    if "referenced from table" in (error.detail or ""):  # "is still ..." in the wording before PostgreSQL 18
        return ForeignKeyViolation(
            f"still referred to by {model}.{name}",
            errors=[Place("", "foreign_key", f"{model}.{name} still refers to this row")],
            model=model,
            fields=fields,
        )
    return missing_reference(model, name, fields=fields)


def missing_reference(
    model: str, name: str, pointer: str = "", *, fields: tuple[str, ...] | None = None
) -> ForeignKeyViolation:
    """For a reference to a row that is not there; `pointer` is where the row stands that has it."""
    sentence = f"{model}.{name} refers to a row that does not exist"
    place = Place(f"{pointer}/{name}", "foreign_key", sentence)
    named = (name,) if fields is None else fields
    return ForeignKeyViolation(sentence, errors=[place], model=model, fields=named)


def _not_null(error: asyncpg.NotNullViolationError, registry: "Registry | None") -> Exception:
    model, _ = _place(error, registry)
    name = error.column_name or ""
    sentence = f"{model}.{name} is required"
    place = Place(f"/{name}", "required", sentence)
    return NotNullViolation(sentence, errors=[place], model=model, fields=(name,))


def _check(error: asyncpg.CheckViolationError, registry: "Registry | None") -> Exception:
    model, fields = _place(error, registry)
    sentence = f"{model}: a value breaks the rule {error.constraint_name}"
    places = [Place(f"/{name}", "check", sentence) for name in fields or ("",)]
    return CheckViolation(sentence, errors=places, model=model, fields=fields)


def _place(error: asyncpg.PostgresError, registry: "Registry | None") -> tuple[str, tuple[str, ...]]:
    """The model and the fields of a violated constraint, by the names that our schema gives
    (orm/schema/names.py)."""
    table = error.table_name or ""
    meta = registry.table(table) if registry is not None else None
    if meta is None:
        return table or "row", ()
    return meta.name, meta.constraint_fields(error.constraint_name or "")


def _fixed(kind: type[Problem], sentence: str) -> Callable[[BaseException, "Registry | None"], Exception]:
    return lambda error, registry: kind(sentence)


def _aborted(error: BaseException, registry: "Registry | None") -> Exception:
    return UsageError(
        "an earlier statement of this transaction failed, so nothing more can run in it:"
        " leave the block, or put the statement that may fail into a nested transaction"
    )


_TABLE: Final[tuple[tuple[tuple[type[BaseException], ...], Callable[..., Exception]], ...]] = (
    ((asyncpg.UniqueViolationError,), _unique),
    ((asyncpg.ForeignKeyViolationError, asyncpg.RestrictViolationError), _foreign_key),
    ((asyncpg.NotNullViolationError,), _not_null),
    ((asyncpg.CheckViolationError,), _check),
    (
        (asyncpg.SerializationError, asyncpg.DeadlockDetectedError),
        _fixed(TransactionConflict, "another transaction changed the same rows at the same time; try again"),
    ),
    (
        (asyncpg.QueryCanceledError,),
        _fixed(StatementTimeout, "the database took too long over this; ask for less"),
    ),
    (
        (asyncpg.LockNotAvailableError,),
        _fixed(TransactionConflict, "the row is locked by another transaction; try again"),
    ),
    ((asyncpg.InFailedSQLTransactionError,), _aborted),
    (
        (asyncpg.InsufficientPrivilegeError,),
        _fixed(AccessDenied, "the database user has no right to do this"),
    ),
    ((asyncpg.NumericValueOutOfRangeError,), _fixed(Invalid, "a number does not fit its column")),
    (_FULL, _fixed(DatabaseUnavailable, "the database has no room for this now")),
    (_LOST, _fixed(DatabaseUnavailable, "the connection to the database was lost")),
)
