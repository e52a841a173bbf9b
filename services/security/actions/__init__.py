"""What other modules ask of this one, and tell it."""

from app.core.environment import current_environment
from services.security.app import SecurityService
from services.security.changes import rights_changed
from services.security.rights import Rights

__all__ = ["current_rights", "rights_changed"]


async def current_rights() -> Rights:
    """The rights that hold now: from memory while the revision says so, else one or two statements."""
    return await current_environment().service(SecurityService).rights.current()
