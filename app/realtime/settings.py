"""Settings of the broker that carries events between processes."""

from collections.abc import Iterable
from typing import Annotated, Literal

from msgspec import Meta

from app.core.settings import Section


class PubSubSettings(Section, frozen=True, kw_only=True):
    """PUBSUB__*."""

    backend: Annotated[
        Literal["memory", "postgres", "redis"],
        Meta(description="What carries events between processes; memory: one process only."),
    ] = "postgres"
    url: Annotated[
        str | None,
        Meta(description="redis://... or rediss://..., several with commas between; for the redis backend."),
    ] = None
    channel: Annotated[
        str,
        Meta(
            min_length=1, description="Name of the channel in Redis; deployments on one server must differ."
        ),
    ] = "starling"

    def problems(self) -> Iterable[str]:
        """A Redis without an address."""
        urls = (self.url or "").split(",")
        if self.backend == "redis" and not all(
            url.strip().startswith(("redis://", "rediss://")) for url in urls
        ):
            yield "PUBSUB__URL is not a Redis URL, and PUBSUB__BACKEND is redis: write redis://host:6379/0"
