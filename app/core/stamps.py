"""`Stamped`: when and by whom a row was made and changed, for any model that takes it as a base.

class Note(Stamped):
    __table__ = "notes"
    title: str = Char(max_length=200, required=True)
"""

import datetime
from collections.abc import Sequence
from typing import Any

from app.core.access import access_session_or_none
from orm import Datetime, DotModel, Many2one, Ref, context


class Stamped(DotModel):
    """Adds created_at, created_by, updated_at and updated_by, and keeps them at every write through a verb.

    Clients only read them. A program may name them, to bring in rows from elsewhere. They are null where
    nobody knows: in rows older than the mixin, and the two users where the program wrote by itself, or when
    the user is gone (a stamp keeps nobody from being deleted). A new row counts as changed when it was made.
    """

    created_at: datetime.datetime | None = Datetime(readonly=True)
    created_by: Ref[Any] | None = Many2one("users", ondelete="set null", readonly=True)
    updated_at: datetime.datetime | None = Datetime(readonly=True)
    updated_by: Ref[Any] | None = Many2one("users", ondelete="set null", readonly=True)

    @classmethod
    async def before_create(cls, records: list[dict[str, Any]]) -> None:
        """Stamp the new rows with who asks and the time of the transaction."""
        await super().before_create(records)
        now, asker = context.current().db.now(), asker_id()
        for record in records:
            stamps = {"created_at": now, "created_by": asker, "updated_at": now, "updated_by": asker}
            record.update({name: value for name, value in stamps.items() if name not in record})

    @classmethod
    async def before_update(cls, ids: Sequence[int], values: dict[str, Any]) -> None:
        """Stamp the change in the same way."""
        await super().before_update(ids, values)
        values.setdefault("updated_at", context.current().db.now())
        values.setdefault("updated_by", asker_id())


def asker_id() -> int | None:
    """The user who asks, also inside `system()`; None when nobody is signed in. A default for a field too."""
    session = access_session_or_none()
    return None if session is None else session.user_id
