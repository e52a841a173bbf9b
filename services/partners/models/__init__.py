"""The tables of partners."""

from services.partners.models.partner import Partner
from services.partners.models.partner_category import PartnerCategory

__all__ = ["Partner", "PartnerCategory"]
