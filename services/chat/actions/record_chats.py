"""Opening the chat of a record."""

from typing import Final

from app.core.environment import current_environment
from orm import AccessDenied, DotModel, RecordNotFound
from services.chat.actions.chats import Beginning, Created, begin_chat, names_of
from services.chat.actions.listing import get_chat
from services.chat.actions.records import join
from services.chat.records import model_of
from services.chat.rules import MAX_NAME_CHARS
from sql import statements

_SQL: Final = statements("chat/chats")


async def open_record_chat(model_name: str, record_id: int, user_id: int) -> Created:
    """The chat of a record, made when nobody has opened it before; the user, who asks, is a member from now
    on.

    `model_name` is the model's table, or its route. Raises RecordNotFound (no such model, no such record
    for the asker), AccessDenied (he may read none of them).
    """
    model = model_of(model_name)
    if model is None:
        raise RecordNotFound(f"There are no records called {model_name}.")
    await model.get(record_id, ["id"])
    names = await names_of([user_id])
    if user_id not in names:
        raise RecordNotFound(f"There is no user {user_id}.")
    while True:  # the chat may be deleted while we look, and made by somebody else
        row = await current_environment().db.fetchrow(_SQL["of_record"], model.__table__, record_id, user_id)
        if row is not None and (row["is_member"] or await join(row["id"], user_id, names[user_id])):
            return Created(await get_chat(row["id"], user_id), False)
        if row is None:
            beginning = await _beginning(model, record_id)
            chat_id = await begin_chat(beginning, names)
            if chat_id is not None:
                return Created(await get_chat(chat_id, user_id), True)


async def _beginning(model: type[DotModel], record_id: int) -> Beginning:
    name = await _name_of(model, record_id)
    return Beginning(chat_type="record", name=name, res_model=model.__table__, res_id=record_id)


async def _name_of(model: type[DotModel], record_id: int) -> str:
    """What a chat about the record is called: like the record, where every reader may read its name."""
    field = model.__fields__.get("name")
    if field is None or not field.stored or field.private or field.role_read:
        return ""
    try:
        record = await model.get(record_id, ["name"])
    except AccessDenied:
        return ""
    name = record.as_dict()["name"]
    return name[:MAX_NAME_CHARS] if isinstance(name, str) else ""
