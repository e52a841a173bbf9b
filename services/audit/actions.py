"""What other modules tell the log."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from app.core.access import access_session_or_none
from app.core.environment import current_environment
from app.core.request_context import request_id
from orm.errors import UsageError
from sql import statements

_ROW_CHANGES: Final = frozenset({"create", "update", "delete", "truncate"})
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
_SQL = statements("audit/log")


async def record(
    action: str,
    *,
    model: str | None = None,
    record_id: int | None = None,
    user_id: int | None = None,
    details: Mapping[str, Any] = _NOTHING,
) -> None:
    """The event is in the log: together with the open transaction when there is one, else at once.

    `action` is its name, such as "refresh_replayed"; `model` a table. `user_id` is who asks unless another is
    named. `details` is any JSON object without secrets. It is kept as given, but for what PostgreSQL cannot
    hold: a NUL character becomes U+FFFD, half a surrogate pair a question mark. Raises UsageError for the
    name of a row change: those are written by triggers.
    """
    if action in _ROW_CHANGES:
        raise UsageError(
            f"{action!r} is what triggers write for a change of a row; give the event its own name"
        )
    asker = access_session_or_none()
    if user_id is None and asker is not None:
        user_id = asker.user_id
    values = [user_id, request_id.get(), action, model, record_id, _document(details)]
    await current_environment().db.run(_SQL["record"], values)


def _document(details: Mapping[str, Any]) -> str | None:
    if not details:
        return None
    plain = msgspec.to_builtins(dict(details))
    return msgspec.json.encode(_storable(plain)).decode()


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode(errors="replace").decode().replace("\x00", "\ufffd")
    if isinstance(value, dict):
        return {_storable(name): _storable(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(inner) for inner in value]
    return value
