"""The tables of rights."""

from services.security.models.access_revision import AccessRevision

__all__ = ["AccessRevision"]
