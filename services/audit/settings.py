"""Settings of the audit log."""

from typing import Annotated

from msgspec import Meta

from app.core.settings import Section


class AuditSettings(Section, frozen=True, kw_only=True):
    """AUDIT__*."""

    retention_days: Annotated[
        int, Meta(ge=0, description="Days that entries of the audit log are kept; 0: for ever.")
    ] = 0
