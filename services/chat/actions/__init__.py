"""What can be done in chats: several tables, one transaction each, no HTTP.

Each takes the id of the user who acts. That he is a member and has the right is judged here, in the
statements themselves, with the chat locked where something changes; so none of it goes through the access
policy, which knows of roles and not of memberships. What a user may not see raises RecordNotFound.
"""

from services.chat.actions.chats import Created, create_chat, get_chat, list_chats
from services.chat.actions.events import list_events
from services.chat.actions.members import add_member, mark_read
from services.chat.actions.messages import Posted, list_messages, list_pinned, pin_message, post_message

__all__ = [
    "Created",
    "Posted",
    "add_member",
    "create_chat",
    "get_chat",
    "list_chats",
    "list_events",
    "list_messages",
    "list_pinned",
    "mark_read",
    "pin_message",
    "post_message",
]
