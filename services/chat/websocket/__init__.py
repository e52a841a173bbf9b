"""/ws/chat: one socket, signed in from within, that follows chats and acts in them."""
