"""Chats: members, messages, and what happens in them told to every socket that may hear it."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from starlette.applications import Starlette

from app.core.environment import Environment
from app.core.service import Info, Service
from app.realtime import Realtime, make_broker
from app.realtime.settings import PubSubSettings
from orm import UsageError
from services.chat.log import ChatEventLog
from services.chat.settings import ChatSettings
from services.chat.websocket.guard import SocketGuard
from services.dotorm_databases_postgres.settings import DatabaseSettings

_MAY_READ: Final = ["or", ["can_read", "=", True], ["is_admin", "=", True]]


class ChatService(Service):
    """Carries events between processes and to sockets, and ends sockets with their sessions."""

    guards: ClassVar[Mapping[str, Sequence[Any]]] = {
        "chats": [["members.user_id", "=", "{{user_id}}"]],
        "chat_members": [["chat_id.members.user_id", "=", "{{user_id}}"]],
        "chat_messages": [["chat_id.members", "some", [["user_id", "=", "{{user_id}}"], _MAY_READ]]],
    }
    info = Info(
        name="chat",
        summary="Chats with realtime delivery over WebSocket.",
        depends=("dotorm_databases_postgres", "auth_token", "users"),
    )

    def __init__(self, env: Environment) -> None:
        super().__init__(env)
        self.settings = env.settings.section(ChatSettings)
        self.guard = SocketGuard(lambda: env.authenticator)
        self._realtime: Realtime | None = None

    @property
    def realtime(self) -> Realtime:
        """The broker and the hub of this process. Raises UsageError before `startup`."""
        if self._realtime is None:
            raise UsageError("the chat service is not running: add chat to Apps.services_after")
        return self._realtime

    async def startup(self, app: Starlette) -> None:
        """Events of every process arrive here, and sockets may come. Raises Unavailable, and StartError
        for a broker that is not there."""
        pubsub = self.env.settings.section(PubSubSettings)
        listen_url = self.env.settings.section(DatabaseSettings).listen_url
        broker = make_broker(pubsub, connect=lambda: self.env.db.connect(listen_url))
        self._realtime = Realtime(broker, ChatEventLog(self.env.db))
        await self._realtime.start()
        self.guard.start()
        self.env.add_readiness_check("realtime", self._realtime.health)

    async def shutdown(self, app: Starlette) -> None:
        """Every socket is told to come back elsewhere and is over; what was published is sent."""
        if self._realtime is None:
            return
        self._realtime.hub.drain()
        await self.guard.wait_closed()
        await self.guard.stop()
        await self._realtime.stop()
