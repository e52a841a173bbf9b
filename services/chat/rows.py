"""Rows of the database as the shapes that clients get. Pure: columns by name."""

from typing import Any, Final

import msgspec

from services.chat.schemas import ChatView, MemberView, MessageView, ReactionView

_NOTHING: Final = "[]"

_decode_reactions: Final = msgspec.json.Decoder(tuple[ReactionView, ...]).decode
_decode_members: Final = msgspec.json.Decoder(tuple[MemberView, ...]).decode
_decode_ids: Final = msgspec.json.Decoder(tuple[int, ...]).decode


def message_view(row: Any, prefix: str = "") -> MessageView:
    """A row of chat_messages, or the part of a row whose columns begin with `prefix`."""
    reactions, mentions = row[prefix + "reactions"], row[prefix + "mentions"]
    return MessageView(
        id=row[prefix + "id"],
        chat_id=row[prefix + "chat_id"],
        author_id=row[prefix + "author_id"],
        body=row[prefix + "body"],
        reply_to_id=row[prefix + "reply_to_id"],
        forwarded_from_id=row[prefix + "forwarded_from_id"],
        pinned=row[prefix + "pinned"],
        created_at=row[prefix + "created_at"],
        edited_at=row[prefix + "edited_at"],
        deleted_at=row[prefix + "deleted_at"],
        reactions=() if reactions == _NOTHING else _decode_reactions(reactions),
        mentions=() if mentions == _NOTHING else _decode_ids(mentions),
    )


def chat_view(row: Any) -> ChatView:
    """A row of the statement `views`. A member who may not read is not told what is said, nor how much."""
    may_read = row["may_read"]
    return ChatView(
        id=row["id"],
        name=row["name"],
        chat_type=row["chat_type"],
        description=row["description"],
        archived=row["archived"],
        creator_id=row["creator_id"],
        created_at=row["created_at"],
        last_seq=row["last_seq"],
        members=_decode_members(row["members"]),
        unread_count=row["unread"] if may_read else 0,
        mention_count=row["mentioned"] if may_read else 0,
        last_message=message_view(row, "last_") if may_read and row["last_id"] is not None else None,
        pinned=row["is_pinned"],
        res_model=row["res_model"],
        res_id=row["res_id"],
    )


def member_view(row: Any) -> MemberView:
    """A row of chat_members, with the name of the user."""
    return MemberView(
        user_id=row["user_id"],
        name=row["name"],
        is_admin=row["is_admin"],
        can_read=row["can_read"],
        can_write=row["can_write"],
        can_pin=row["can_pin"],
        can_invite=row["can_invite"],
        can_delete_others=row["can_delete_others"],
        last_read_message_id=row["last_read_message_id"],
        joined_at=row["joined_at"],
    )
