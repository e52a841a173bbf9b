"""One entry of the audit log."""

import datetime
from collections.abc import Sequence
from typing import Any, ClassVar

from orm import BigInteger, Datetime, DotModel, JSONField, Text


class AuditEntry(DotModel):
    """Who did what, when, and in which request. Entries are written by triggers and `actions.record`, and
    never changed: the database refuses it.

    `action` is create, update, delete or truncate for a change of rows, else the name of an event. `before`
    and `after` are the row as JSON, of an update only its id and what changed; private values read
    "[redacted]". `user_id` is null where the program, or somebody at the database itself, wrote. There is no
    foreign key: the log outlives what it speaks of.
    """

    __table__ = "audit_log"
    __auto_crud__ = "read"
    __indexes__: ClassVar[Sequence[Sequence[str]]] = (("model", "record_id"), ("user_id",))

    at: datetime.datetime = Datetime(required=True, readonly=True, description="When it was written")
    user_id: int | None = BigInteger(readonly=True, description="Who asked")
    request_id: str | None = Text(readonly=True, description="The X-Request-ID of the answer")
    database_role: str = Text(required=True, readonly=True, description="The role that PostgreSQL knew it by")
    action: str = Text(required=True, readonly=True, description="create, update, delete, or an event")
    model: str | None = Text(readonly=True, description="The table")
    record_id: int | None = BigInteger(readonly=True, description="The row; null for links between rows")
    before: Any | None = JSONField(readonly=True, description="What was there")
    after: Any | None = JSONField(readonly=True, description="What is there since")
    details: Any | None = JSONField(readonly=True, description="What else an event says")
