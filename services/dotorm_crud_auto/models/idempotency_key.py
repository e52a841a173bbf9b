"""Requests that were carried out under an Idempotency-Key, and what they were answered."""

import datetime
from typing import Any

from orm import Binary, Datetime, DotModel, JSONField, SmallInteger, utc_now


class IdempotencyKey(DotModel):
    """One request, written in the transaction of what it did; not for the API.

    `digest` stands for user, method, path and key, `fingerprint` for query and body: neither is kept in
    clear. `headers` are pairs of texts. `body` is null where the answer was not to be kept.
    """

    __table__ = "idempotency_keys"
    __auto_crud__ = False

    digest: bytes = Binary(required=True, unique=True)
    fingerprint: bytes = Binary(required=True)
    status: int = SmallInteger(required=True)
    headers: Any = JSONField(required=True)
    body: bytes | None = Binary()
    created_at: datetime.datetime = Datetime(required=True, default=utc_now, index=True)
