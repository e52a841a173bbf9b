"""What runs in a process as long as the chat does, started and stopped in the order in which one needs the
other.
"""

from app.core.environment import Environment
from app.realtime import Presence, Realtime
from services.chat.presence import PresenceNews
from services.chat.record_watch import RecordWatch
from services.chat.websocket.guard import SocketGuard


class Parts:
    """The broker and the hub, who is online, and the watches over sockets."""

    def __init__(self, env: Environment, realtime: Realtime, guard: SocketGuard) -> None:
        self.realtime = realtime
        self.presence = Presence(realtime)
        self.presence_news = PresenceNews(env.db, realtime.hub, self.presence)
        self.record_watch = RecordWatch(env, realtime.hub, lambda: guard.sessions)
        self._guard = guard

    async def start(self) -> None:
        """Return when sockets may come. Raises Unavailable."""
        await self.realtime.start()
        await self.presence.start()
        self.presence_news.start()
        self._guard.start()
        self.record_watch.start()

    async def stop(self) -> None:
        """Every socket is told to come back elsewhere and is over; what was published is sent. May be called
        twice, and without `start`.
        """
        self.realtime.hub.drain()
        await self._guard.wait_closed()
        await self._guard.stop()
        await self.record_watch.stop()
        await self.presence_news.stop()
        await self.presence.stop()
        await self.realtime.stop()
