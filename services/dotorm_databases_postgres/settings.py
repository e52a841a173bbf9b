"""Settings of the database: where it is, and how many connections a process may hold."""

from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta

from app.core.settings import Section

_SCHEMES = ("postgresql://", "postgres://")


class DatabaseSettings(Section, frozen=True, kw_only=True):
    """DATABASE__*. Pool sizes are per process; times are in seconds."""

    url: Annotated[
        str | None,
        Meta(description="postgresql://..., of several hosts the read-write one is taken; unset: embedded."),
    ] = None
    listen_url: Annotated[
        str | None,
        Meta(description="A direct URL for LISTEN where DATABASE__URL is a pooler; unset: DATABASE__URL."),
    ] = None
    pooler: Annotated[
        bool,
        Meta(description="DATABASE__URL is a transaction pooler: no prepared statements, no session state."),
    ] = False
    pool_min: Annotated[int, Meta(ge=0, description="Connections kept open when idle.")] = 1
    pool_max: Annotated[int, Meta(ge=1, description="Most connections of one process.")] = 10
    pool_wait_seconds: Annotated[
        float, Meta(gt=0, description="How long a request waits for a connection; 503 beyond.")
    ] = 2
    statement_timeout_seconds: Annotated[
        float, Meta(ge=0, description="How long one statement may run; 504 beyond; 0: no limit.")
    ] = 10

    def problems(self) -> Iterable[str]:
        """URLs of another kind, and a pool whose limits contradict each other."""
        for name, url in (("DATABASE__URL", self.url), ("DATABASE__LISTEN_URL", self.listen_url)):
            if url is not None and not url.startswith(_SCHEMES):
                yield f"{name} is not a PostgreSQL URL: write postgresql://user:password@host:5432/database"
        if self.listen_url is not None and self.url is None:
            yield "DATABASE__LISTEN_URL is given without DATABASE__URL: give both, or neither"
        if self.pool_min > self.pool_max:
            yield (
                f"DATABASE__POOL_MIN is {self.pool_min}, more than DATABASE__POOL_MAX, {self.pool_max}: "
                "lower the first or raise the second"
            )
