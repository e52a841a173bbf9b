"""Settings of the log."""

from typing import Annotated, Literal

from msgspec import Meta

from app.core.settings import Section


class LoggerSettings(Section, frozen=True, kw_only=True):
    """LOGGER__*."""

    level: Annotated[
        Literal["debug", "info", "warning", "error", "critical"],
        Meta(description="Least severe level that is written."),
    ] = "info"
    format: Annotated[
        Literal["text", "json"], Meta(description="text for people; json for machines, one object a line.")
    ] = "text"
