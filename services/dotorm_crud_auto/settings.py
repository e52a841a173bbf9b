"""Settings of the API that is made from models."""

from typing import Annotated

from msgspec import Meta

from app.core.settings import Section


class CrudSettings(Section, frozen=True, kw_only=True):
    """CRUD__*."""

    export_max_rows: Annotated[int, Meta(ge=1, description="Most rows of one export; 422 beyond.")] = 100_000
    export_seconds: Annotated[
        float, Meta(gt=0, description="How long one export may take; then its connection is closed.")
    ] = 120
    exports_at_once: Annotated[
        int, Meta(ge=1, description="Exports under way in one process, each with a connection; 429 beyond.")
    ] = 2
    batch_seconds: Annotated[
        float, Meta(gt=0, description="How long one batch may take; 504 beyond, nothing being written.")
    ] = 30
