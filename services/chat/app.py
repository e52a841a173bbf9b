"""Chats: members, messages, and what happens in them told to every socket that may hear it."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from starlette.applications import Starlette

from app.core.access_presets import ACL
from app.core.environment import Environment
from app.core.jobs import Job
from app.core.service import Info
from app.http.metrics import metrics_of
from app.realtime import Realtime, make_broker
from app.realtime.settings import PubSubSettings
from orm import UsageError
from services.chat.log import TOPIC, ChatEventLog
from services.chat.numbers import numbers
from services.chat.parts import Parts
from services.chat.retention import INTERVAL_SECONDS, LIMIT_SECONDS, Retention
from services.chat.search_indexes import make_search_indexes
from services.chat.service import NAME, RunningChat
from services.chat.websocket.guard import SocketGuard
from services.dotorm_databases_postgres.settings import DatabaseSettings
from services.security.app import SecurityService
from sql import statements

RIGHTS_TOPIC: Final = "rights"
"""Under which processes tell each other that rights have changed."""

_POSTING: Final = statements("chat/posting")

_MAY_READ: Final = ["or", ["can_read", "=", True], ["is_admin", "=", True]]


class ChatService(RunningChat):
    """Carries events between processes and to sockets, and ends sockets with their sessions."""

    # Chats of records are not in the generated API: being a member is not enough for them.
    guards: ClassVar[Mapping[str, Sequence[Any]]] = {
        "chats": [["members.user_id", "=", "{{user_id}}"], ["chat_type", "!=", "record"]],
        "chat_members": [
            ["chat_id.members.user_id", "=", "{{user_id}}"],
            ["chat_id.chat_type", "!=", "record"],
        ],
        "chat_messages": [
            ["chat_id.members", "some", [["user_id", "=", "{{user_id}}"], _MAY_READ]],
            ["chat_id.chat_type", "!=", "record"],
        ],
    }
    access: ClassVar[Mapping[str, Mapping[str, ACL]]] = {
        table: {"base_user": ACL.READ_ONLY} for table in ("chats", "chat_members", "chat_messages")
    }
    info = Info(
        name=NAME,
        summary="Chats with realtime delivery over WebSocket.",
        depends=("dotorm_databases_postgres", "security", "auth_token", "users"),
    )

    def __init__(self, env: Environment) -> None:
        super().__init__(env)
        self.guard = SocketGuard(lambda: env.authenticator)
        self._parts: Parts | None = None

    def routines(self) -> Mapping[str, str]:
        """The function that posts a message."""
        return {"chat_post": _POSTING["function"]}

    def jobs(self) -> Sequence[Job]:
        """What is not kept for ever is removed."""
        work = Retention(self.env, self.settings).run
        job = Job(
            name="chat.retention", interval_seconds=INTERVAL_SECONDS, limit_seconds=LIMIT_SECONDS, work=work
        )
        return (job,)

    @property
    def parts(self) -> Parts:
        """What runs in this process. Raises UsageError before `startup`."""
        if self._parts is None:
            raise UsageError("the chat service is not running: add chat to Apps.services_after")
        return self._parts

    async def startup(self, app: Starlette) -> None:
        """Events of every process arrive here, and sockets may come. Raises Unavailable, and StartError
        for a broker that is not there."""
        pubsub = self.env.settings.section(PubSubSettings)
        listen_url = self.env.settings.section(DatabaseSettings).listen_url
        broker = make_broker(pubsub, connect=lambda: self.env.db.connect(listen_url))
        self._realtime = Realtime(broker, {TOPIC: ChatEventLog(self.env.db)})
        self._parts = Parts(self.env, self._realtime, self.guard)
        await self._parts.start()
        self.is_online = self._parts.presence.__contains__
        self.env.add_readiness_check("realtime", self._realtime.health)
        self._pass_on_changes_of_rights(self._realtime)
        realtime, presence = self._realtime, self._parts.presence
        metrics_of(app).source(lambda: numbers(realtime, presence))

    def _pass_on_changes_of_rights(self, realtime: Realtime) -> None:
        """Whoever changes rights tells all processes, which look at once instead of half a second later. What
        is lost is no harm: they look anyway."""
        revisions = self.env.service(SecurityService).revisions
        realtime.listen(RIGHTS_TOPIC, lambda _: revisions.doubt(), on_gap=revisions.doubt)
        revisions.on_announcement(lambda: realtime.tell(RIGHTS_TOPIC, b"{}"))

    async def post_init(self, app: Starlette) -> None:
        """Searching has its indexes."""
        self.has_trigrams = await make_search_indexes(self.env.db)

    async def shutdown(self, app: Starlette) -> None:
        """Every socket is told to come back elsewhere and is over; what was published is sent."""
        if self._parts is not None:
            await self._parts.stop()
