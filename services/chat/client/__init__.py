"""A client of /ws/chat for programs in Python: robots, bridges, tests.

    async def token(rejected: str | None) -> str:       # an access token or an API key; not `rejected` again
        ...

    async with ChatClient("ws://127.0.0.1:8000/ws/chat", token) as client:
        sent = await client.send(7, "hello")            # is there once, however often the connection is lost
        async for notice in client:
            if isinstance(notice, Happened):
                print(notice.event)

It keeps one socket open, comes back after a loss as the close codes say, follows every chat of the user,
and resumes each where it was: what it tells of a chat comes once, in order and without a gap, or else it
tells a Reset. It needs the package websockets and nothing else that the server does not. For browsers there
is page/client.js.
"""

from services.chat.client.client import ChatClient, ChatRefused, SignedOut
from services.chat.client.protocol import (
    Gone,
    Happened,
    Live,
    Lost,
    Notice,
    Refused,
    Reset,
    Sent,
)

__all__ = [
    "ChatClient",
    "ChatRefused",
    "Gone",
    "Happened",
    "Live",
    "Lost",
    "Notice",
    "Refused",
    "Reset",
    "Sent",
    "SignedOut",
]
