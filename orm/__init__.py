"""DotORM: typed, asynchronous models on PostgreSQL.

Declare a model, compose a registry, bind a home, and use the verbs:

    class Tag(DotModel):
        __table__ = "tags"
        name: str = Char(max_length=50, required=True)

    tag = await Tag.create(name="blue")

This package knows nothing of HTTP, users or modules, and imports nothing that leaves its folder but
asyncpg and msgspec. Statements are values (`builder/`), every await on the database lives in `link`,
`pool`, `transaction` and `database`, and every verb passes through one door (`access.grant_for`)."""

from orm import context
from orm.access import AccessPolicy, Grant, Operation, system
from orm.database import Database
from orm.errors import (
    AccessDenied,
    CheckViolation,
    ConcurrentUse,
    Conflict,
    CursorError,
    DatabaseUnavailable,
    DeclarationError,
    FieldNotLoaded,
    FilterError,
    ForeignKeyViolation,
    Invalid,
    NotNullViolation,
    Place,
    PoolExhausted,
    Problem,
    RecordNotFound,
    StaleRow,
    StatementTimeout,
    TransactionConflict,
    TransactionOver,
    Unbound,
    UniqueViolation,
    UsageError,
    ValidationError,
    Violation,
)
from orm.fields import (
    BigInteger,
    Binary,
    Boolean,
    Char,
    Computed,
    Date,
    Datetime,
    Decimal,
    Field,
    Float,
    Integer,
    JSONField,
    Many2many,
    Many2one,
    One2many,
    One2one,
    Ref,
    Selection,
    SmallInteger,
    Text,
    Time,
    Uuid,
    utc_now,
)
from orm.indexes import Index
from orm.metadata import ModelMeta
from orm.model import DotModel
from orm.registry import Registry

__all__ = [
    "AccessDenied",
    "AccessPolicy",
    "BigInteger",
    "Binary",
    "Boolean",
    "Char",
    "CheckViolation",
    "Computed",
    "ConcurrentUse",
    "Conflict",
    "CursorError",
    "Database",
    "DatabaseUnavailable",
    "Date",
    "Datetime",
    "Decimal",
    "DeclarationError",
    "DotModel",
    "Field",
    "FieldNotLoaded",
    "FilterError",
    "Float",
    "ForeignKeyViolation",
    "Grant",
    "Index",
    "Integer",
    "Invalid",
    "JSONField",
    "Many2many",
    "Many2one",
    "ModelMeta",
    "NotNullViolation",
    "One2many",
    "One2one",
    "Operation",
    "Place",
    "PoolExhausted",
    "Problem",
    "RecordNotFound",
    "Ref",
    "Registry",
    "Selection",
    "SmallInteger",
    "StaleRow",
    "StatementTimeout",
    "Text",
    "Time",
    "TransactionConflict",
    "TransactionOver",
    "Unbound",
    "UniqueViolation",
    "UsageError",
    "Uuid",
    "ValidationError",
    "Violation",
    "context",
    "system",
    "utc_now",
]
