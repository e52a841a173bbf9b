"""Settings of the chat: how much is kept, and how much one user may do at once."""

from typing import Annotated

from msgspec import Meta

from app.core.settings import Section


class ChatSettings(Section, frozen=True, kw_only=True):
    """CHAT__*."""

    event_retention_days: Annotated[
        int, Meta(ge=1, description="Days that events are kept for clients that come back.")
    ] = 30
    event_retention_count: Annotated[
        int, Meta(ge=0, description="Events kept of each chat, the newest; 0: as many as there are.")
    ] = 100_000
    max_body_chars: Annotated[int, Meta(ge=1, description="Longest message, in characters.")] = 65_536
    sockets_per_user: Annotated[
        int, Meta(ge=1, description="Open sockets of one user; closed with 4429 beyond.")
    ] = 20
    frames_per_second: Annotated[
        int, Meta(ge=1, description="Frames that one socket may send; closed with 4429 beyond.")
    ] = 50
