"""The record that a record chat is about, and whether the asker may read it.

Rights to a record are the ORM's to judge, under the rules of whoever is bound to the context; a membership
only says that he opened the chat once. So both are asked for: in every verb on one chat by `check_record`,
for lists and for sockets by actions/records.py, which also ends memberships that have outlived the right.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from msgspec.structs import replace

from app.core.access import AccessSession, reset_access_session, set_access_session
from orm import AccessDenied, DotModel, context
from orm.access import current_asker
from services.chat.errors import no_such_chat


async def check_record(chat_id: int, res_model: str | None, res_id: int | None) -> None:
    """Raise RecordNotFound, as for a chat that is not there, when the chat is about a record that the asker
    may not read. One statement for the chat of a record, none for any other.
    """
    if res_model is not None and res_id is not None and not await readable(res_model, [res_id]):
        raise no_such_chat(chat_id)


async def readable(table: str, ids: Iterable[int]) -> set[int]:
    """Those of the rows that the asker may read; none of a table that he may not read, or that is no
    model's.
    """
    model = model_of(table)
    if model is None:
        return set()
    with _whole_rights():
        try:
            found = await model.search([["id", "in", list(ids)]], fields=["id"])
        except AccessDenied:
            return set()
    return {record.id for record in found}


@contextmanager
def _whole_rights() -> Iterator[None]:
    """Inside the block the asker has all rights of the user, also where an API key is narrowed to some
    routes: its scope for chats is what it needs here, and what it lacks ends nobody's membership.
    """
    asker = current_asker()
    if not isinstance(asker, AccessSession) or asker.scopes is None:
        yield
        return
    token = set_access_session(replace(asker, scopes=None))
    try:
        yield
    finally:
        reset_access_session(token)


def model_of(name: str) -> type[DotModel] | None:
    """The model of that table, or else of that route, that the API shows; None when there is none."""
    registry = context.current().registry
    meta = registry.table(name) or next((one for one in registry if one.route == name), None)
    return meta.cls if meta is not None and meta.cls.__auto_crud__ else None
