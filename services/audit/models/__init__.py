"""The table of the audit log."""

from services.audit.models.audit_entry import AuditEntry

__all__ = ["AuditEntry"]
