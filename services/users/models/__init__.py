"""The table of users."""

from services.users.models.user import User

__all__ = ["User"]
