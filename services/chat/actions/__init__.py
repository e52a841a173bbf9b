"""What can be done in chats: several tables, one transaction each, no HTTP.

Each takes the id of the user who acts. That he is a member and has the right is judged here, in the
statements themselves, with the chat locked where something changes; so none of it goes through the access
policy, which knows of roles and not of memberships. What a user may not see raises RecordNotFound. In the
chat of a record the policy is asked as well: there the user who acts has to be the asker bound to the
context.
"""

from services.chat.actions.chats import Created, change_chat, create_chat, delete_chat
from services.chat.actions.edits import delete_message, edit_message, list_versions
from services.chat.actions.events import list_events
from services.chat.actions.listing import get_chat, list_chats
from services.chat.actions.members import add_member, pin_chat, remove_member, update_member
from services.chat.actions.messages import (
    Posted,
    forward_message,
    list_messages,
    list_pinned,
    pin_message,
    post_message,
)
from services.chat.actions.reactions import toggle_reaction
from services.chat.actions.reading import mark_read
from services.chat.actions.record_chats import open_record_chat
from services.chat.actions.search import search_messages

__all__ = [
    "Created",
    "Posted",
    "add_member",
    "change_chat",
    "create_chat",
    "delete_chat",
    "delete_message",
    "edit_message",
    "forward_message",
    "get_chat",
    "list_chats",
    "list_events",
    "list_messages",
    "list_pinned",
    "list_versions",
    "mark_read",
    "open_record_chat",
    "pin_chat",
    "pin_message",
    "post_message",
    "remove_member",
    "search_messages",
    "toggle_reaction",
    "update_member",
]
