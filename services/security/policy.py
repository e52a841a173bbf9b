"""The access policy: what an asker may do with a model. Pure; it neither waits nor asks the database."""

from app.core.access import AccessSession
from orm.access import UNLIMITED, Grant, Operation
from orm.errors import AccessDenied
from orm.metadata import ModelMeta


class Policy:
    """Administrators may do everything with every row, anybody else nothing.

    What is private or readonly stays so for administrators, too: that is a matter of the API, not of rights.
    """

    def grant(self, asker: object | None, model: ModelMeta, operation: Operation) -> Grant:
        """See orm.access.AccessPolicy."""
        if isinstance(asker, AccessSession) and asker.is_admin:
            return UNLIMITED
        raise AccessDenied(f"You have no right to {operation} {model.table}.")
