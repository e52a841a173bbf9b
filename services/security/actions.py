"""What other modules tell this one."""

from app.core.environment import current_environment
from services.security.app import SecurityService


async def rights_changed() -> None:
    """When the open transaction commits, no process honours for more than a second what was true before
    it.

    To be called in the transaction of every change that a session or a right rests on, and last:
    transactions that change rights queue here until the one before has ended. Raises UsageError outside of
    a transaction."""
    await current_environment().service(SecurityService).revisions.bump()
