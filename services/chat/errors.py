"""What is said of chats, messages, members and users that are not there."""

from orm import Invalid, Place, RecordNotFound


def no_such_chat(chat_id: int, pointer: str | None = None) -> RecordNotFound:
    """What a stranger is told of a chat, whether there is one or not."""
    sentence = f"There is no chat {chat_id}."
    return RecordNotFound(sentence, errors=[Place(pointer, "not_found", sentence)] if pointer else ())


def no_such_message(chat_id: int, message_id: int) -> RecordNotFound:
    """What is said of a message that is not in the chat, wherever else it may be."""
    return RecordNotFound(f"There is no message {message_id} in chat {chat_id}.")


def no_such_member(chat_id: int, user_id: int) -> RecordNotFound:
    """What is said of a user who is not in the chat, whether there is one or not."""
    return RecordNotFound(f"There is no member {user_id} in chat {chat_id}.")


def no_such_user(user_id: int, pointer: str) -> Invalid:
    """What is said of a user who is not there, or is not active."""
    sentence = f"There is no user {user_id}."
    return Invalid(sentence, errors=[Place(pointer, "not_found", sentence)])


def no_message_to_reply_to(reply_to_id: int | None) -> RecordNotFound:
    """What is said of a message that cannot be replied to from here."""
    sentence = f"There is no message {reply_to_id} in this chat to reply to."
    return RecordNotFound(sentence, errors=[Place("/reply_to_id", "not_found", sentence)])
