"""How often signing in has failed lately: of one address, at one account, or from one known device."""

import datetime

from orm import Binary, Datetime, DotModel


class SignInBucket(DotModel):
    """A bucket that each failure fills a little, and that leaks. Full, it refuses.

    It is kept as the time at which it will be empty: so it leaks by itself, and a row whose time has come
    says nothing any more and is swept. `key` is a keyed hash of what the bucket stands for, because strangers
    write all sorts of things where a login belongs, now and then a password. `refused_at` is when the audit
    log was last told that it refuses.
    """

    __table__ = "sign_in_buckets"
    __auto_crud__ = False

    key: bytes = Binary(required=True, unique=True, private=True)
    empty_at: datetime.datetime = Datetime(required=True, index=True)
    refused_at: datetime.datetime | None = Datetime()
