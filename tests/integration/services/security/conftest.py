"""An application with users and sessions only, on one database for all tests in here."""

from tests.support.identity import database_url, identity, identity_database_url

__all__ = ["database_url", "identity", "identity_database_url"]
