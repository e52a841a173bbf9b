"""A chat as one of its members sees it, kept up to date by its events. It shares no code with the server."""

from collections.abc import Mapping, Sequence
from typing import Any

Json = dict[str, Any]


class ChatState:
    """What GET /chats/{id}, its messages and its pinned ones show a user who may read."""

    def __init__(self, chat: Mapping[str, Any], messages: Sequence[Json], me: int) -> None:
        self._chat = {**chat, "members": [dict(member) for member in chat["members"]]}
        self._messages = {message["id"]: dict(message) for message in messages}
        self._me = me

    @property
    def chat(self) -> Json:
        """The chat, its counts worked out from the messages."""
        mine = next(one for one in self._chat["members"] if one["user_id"] == self._me)
        watermark = mine["last_read_message_id"] or 0
        unread = [
            one for one in self._messages.values() if one["id"] > watermark and one["deleted_at"] is None
        ]
        return {
            **self._chat,
            "unread_count": len(unread),
            "mention_count": sum(self._me in one["mentions"] for one in unread),
            "last_message": max(self._messages.values(), key=lambda one: one["id"], default=None),
        }

    @property
    def messages(self) -> list[Json]:
        """Newest first."""
        return sorted(self._messages.values(), key=lambda one: -one["id"])

    @property
    def pinned(self) -> list[Json]:
        """Newest first."""
        return [one for one in self.messages if one["pinned"]]

    def apply(self, event: Mapping[str, Any]) -> None:
        """Take the next event of the stream."""
        assert event["seq"] == self._chat["last_seq"] + 1
        self._chat["last_seq"] = event["seq"]
        getattr(self, f"_{event['type']}")(event)

    def _new_message(self, event: Mapping[str, Any]) -> None:
        message = event["message"]
        self._messages[message["id"]] = message
        self._read(message["author_id"], message["id"])

    def _message_edited(self, event: Mapping[str, Any]) -> None:
        self._messages[event["message"]["id"]] = event["message"]

    def _message_deleted(self, event: Mapping[str, Any]) -> None:
        nothing = {"body": "", "pinned": False, "reactions": [], "mentions": [], "deleted_at": event["at"]}
        self._messages[event["message_id"]].update(nothing)

    def _message_pinned(self, event: Mapping[str, Any]) -> None:
        self._messages[event["message_id"]]["pinned"] = event["pinned"]

    def _reaction_update(self, event: Mapping[str, Any]) -> None:
        self._messages[event["message_id"]]["reactions"] = event["reactions"]

    def _messages_read(self, event: Mapping[str, Any]) -> None:
        self._read(event["user_id"], event["message_id"])

    def _member_added(self, event: Mapping[str, Any]) -> None:
        self._chat["members"].append(dict(event["member"]))

    def _member_updated(self, event: Mapping[str, Any]) -> None:
        for member in self._chat["members"]:
            if member["user_id"] == event["member"]["user_id"]:
                member.update(event["member"])

    def _member_removed(self, event: Mapping[str, Any]) -> None:
        members = self._chat["members"]
        self._chat["members"] = [member for member in members if member["user_id"] != event["user_id"]]

    def _chat_updated(self, event: Mapping[str, Any]) -> None:
        self._chat.update({name: event["chat"][name] for name in ("name", "description", "archived")})

    def _read(self, user_id: int, message_id: int) -> None:
        for member in self._chat["members"]:
            if member["user_id"] == user_id:
                member["last_read_message_id"] = message_id
