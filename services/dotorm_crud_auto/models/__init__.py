"""The table of the API's own."""

from services.dotorm_crud_auto.models.idempotency_key import IdempotencyKey

__all__ = ["IdempotencyKey"]
