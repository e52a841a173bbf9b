"""The tables of rights."""

from services.security.models.access_list import AccessList
from services.security.models.access_preset import AccessPreset
from services.security.models.access_revision import AccessRevision
from services.security.models.role import Role
from services.security.models.rule import Rule

__all__ = ["AccessList", "AccessPreset", "AccessRevision", "Role", "Rule"]
