"""One socket from its first frame to its last."""

import asyncio
import logging
from typing import Final

from app.core.access import AccessSession, reset_access_session, scope_allows, set_access_session
from app.core.environment import Environment
from app.core.errors import Malformed, Unauthenticated
from app.realtime import CloseCode, Connection, Frame
from orm import AccessDenied, Invalid, Problem
from orm.errors import StatementTimeout, Unavailable
from services.chat import actions
from services.chat.actions.events import stream_head, stream_heads
from services.chat.actions.typing import tell_typing
from services.chat.app import ChatService
from services.chat.log import topic_of
from services.chat.websocket import frames
from services.chat.websocket.budget import FrameBudget

_logger = logging.getLogger(__name__)

AUTH_SECONDS: Final = 5.0
HEARTBEAT_SECONDS: Final = 25.0  # the most impatient proxies end a connection after half a silent minute
MAX_FRAME_BYTES: Final = 1 << 20
TYPING_SECONDS: Final = 1.0
ROUTE: Final = "chats"
"""What the scopes of API keys call this, as they do over HTTP."""

_PASSING: Final = (Unavailable, StatementTimeout)

_WRITING: Final = (frames.Send, frames.NowTyping, frames.Read)


class ChatSocket:
    """A connection that was accepted. `request_id` is what errors on it are found again by."""

    def __init__(self, env: Environment, connection: Connection, *, request_id: str | None) -> None:
        service = env.service(ChatService)
        self._env = env
        self._connection = connection
        self._request_id = request_id
        self._settings = service.settings
        self._guard = service.guard
        self._hub = service.parts.realtime.hub
        self._news = service.parts.presence_news
        self._watch = service.parts.record_watch
        self._budget = FrameBudget(self._settings.frames_per_second, now=asyncio.get_running_loop().time())
        self.token = ""
        self._session: AccessSession | None = None
        self._typing: dict[int, float] = {}
        self._is_over = False
        self._over: asyncio.Event | None = None  # made when somebody waits: an idle socket weighs little

    async def run(self, token: str | None) -> None:
        """Serve until the socket is over. `token` is None where it comes in the first frame."""
        if token is None:
            token = await self._first_token()
        if token is None or not await self._sign_in(token):
            return
        try:
            while (text := await self._connection.receive()) is not None:
                await self._take(text)
        finally:
            self._guard.forget(self)
            self._hub.disconnect(self._connection)
            self._is_over = True
            if self._over is not None:
                self._over.set()

    # -- for the guard

    @property
    def session(self) -> AccessSession:
        """See Guarded."""
        assert self._session is not None, "asked for after signing in"
        return self._session

    def renew(self, token: str, session: AccessSession) -> None:
        """See Guarded."""
        if token == self.token and session is not self._session:
            self._session = session
            self._watch.check_soon()

    def sign_out(self, token: str) -> None:
        """See Guarded."""
        if token == self.token:
            self._connection.close(CloseCode.UNAUTHENTICATED)

    async def wait_closed(self) -> None:
        """See Guarded. A frame that is being acted on is done by then."""
        await self._connection.wait_closed()
        if not self._is_over:
            self._over = self._over or asyncio.Event()
            await self._over.wait()

    # -- signing in

    async def _first_token(self) -> str | None:
        """The token in the first frame, or None: the socket is over, or closed with the reason."""
        try:
            async with asyncio.timeout(AUTH_SECONDS):
                text = await self._connection.receive()
        except TimeoutError:
            self._connection.close(CloseCode.AUTH_TIMEOUT)
            return None
        if text is None:
            return None
        frame = self._decoded(text)
        if isinstance(frame, frames.Auth):
            return frame.token
        self._connection.close(CloseCode.UNAUTHENTICATED)
        return None

    async def _sign_in(self, token: str) -> bool:
        """Whether the socket may go on as the user of the token."""
        try:
            session = await self._verified(token)
        except Unauthenticated:
            self._connection.close(CloseCode.UNAUTHENTICATED)
            return False
        except Problem as problem:
            _logger.warning("a socket cannot be signed in: %s", problem)
            self._connection.close(CloseCode.INTERNAL)
            return False
        if not scope_allows(session.scopes, ROUTE, "read"):
            self._refuse(_no_scope("read"), None)
            self._connection.close(CloseCode.UNAUTHENTICATED, _no_scope("read").detail)
            return False
        if len(self._hub.receivers(session.user_id)) >= self._settings.sockets_per_user:
            self._connection.close(CloseCode.TOO_MANY)
            return False
        self.token, self._session = token, session
        self._hub.connect(self._connection, session.user_id)
        self._guard.watch(self)
        self._send_ready()
        return True

    async def _verified(self, token: str) -> AccessSession:
        authenticator = self._env.authenticator
        if authenticator is None:
            raise Unauthenticated("Nobody can sign in here: no module that verifies tokens is running.")
        return authenticator.cached(token) or await authenticator.verify_access(token)

    async def _renew_by(self, token: str) -> None:
        """Go on with another token of the same user. A token that is not valid changes nothing."""
        session = await self._verified(token)
        if session.user_id != self._user_id:
            raise AccessDenied("This socket is another user's: open one of your own.")
        if not scope_allows(session.scopes, ROUTE, "read"):
            raise _no_scope("read")
        self.token, self._session = token, session
        self._send_ready()

    def _send_ready(self) -> None:
        self._say(frames.ready(self._user_id, heartbeat_seconds=HEARTBEAT_SECONDS, worker=self._env.worker))

    @property
    def _user_id(self) -> int:
        return self.session.user_id

    # -- frames

    async def _take(self, text: str) -> None:
        """Do what one frame says; what goes wrong is answered, and the socket goes on."""
        frame = self._decoded(text)
        if frame is None:
            return
        bound = set_access_session(self._session)
        try:
            await self._act(frame)
        except Problem as problem:
            if isinstance(frame, frames.SubscribeAll) and isinstance(problem, _PASSING):
                # It is to come back later and ask again: a client that took this for an answer to his
                # question would wait for ever.
                self._connection.close(CloseCode.INTERNAL)
            else:
                self._refuse(problem, frames.reference_of(frame))
        except Exception as error:
            _logger.exception("a frame failed")
            self._refuse(error, frames.reference_of(frame))
        finally:
            reset_access_session(bound)

    def _decoded(self, text: str) -> frames.AnyFrame | None:
        """The frame, or None: it was answered, or the socket is closed for it."""
        if _is_too_big(text):
            self._connection.close(CloseCode.TOO_BIG)
        elif not self._budget.take(asyncio.get_running_loop().time()):
            self._connection.close(CloseCode.TOO_MANY)
        else:
            try:
                return frames.decode(text)
            except Malformed:
                self._connection.close(CloseCode.PROTOCOL)
            except Invalid as problem:
                self._refuse(problem, frames.reference_in(text))
        return None

    def _say(self, frame: bytes) -> None:
        self._connection.send_nowait(Frame(frame))

    def _refuse(self, error: Exception, ref: frames.Reference | None) -> None:
        self._say(frames.error(error, instance=self._request_id, ref=ref))

    async def _act(self, frame: frames.AnyFrame) -> None:
        # The operation that the same has over HTTP, by POST.
        if isinstance(frame, _WRITING) and not scope_allows(self.session.scopes, ROUTE, "create"):
            raise _no_scope("create")
        match frame:
            case frames.Ping():
                self._say(frames.PONG)
            case frames.Send():
                await self._post(frame)
            case frames.NowTyping(chat_id=chat_id):
                await self._type(chat_id)
            case frames.Read(chat_id=chat_id, message_id=message_id):
                await actions.mark_read(chat_id, self._user_id, message_id)
            case frames.Subscribe(chat_id=chat_id, since=since):
                await self._subscribe_one(chat_id, since)
            case frames.SubscribeAll(since=since):
                await self._subscribe_all(since)
            case frames.Unsubscribe(chat_id=chat_id):
                self._hub.unsubscribe(self._connection, topic_of(chat_id))
            case frames.Auth(token=token):
                await self._renew_by(token)

    async def _post(self, frame: frames.Send) -> None:
        posted = await actions.post_message(
            frame.chat_id, self._user_id, frame.body, reply_to_id=frame.reply_to_id, nonce=frame.nonce
        )
        self._say(frames.ack(frame.nonce, posted.message.id, posted.seq))

    async def _type(self, chat_id: int) -> None:
        """Tell it at most once a second for each chat: some clients say it with every key."""
        now = asyncio.get_running_loop().time()
        self._typing = {
            one: told_at for one, told_at in self._typing.items() if now - told_at < TYPING_SECONDS
        }
        if chat_id not in self._typing:
            await tell_typing(chat_id, self._user_id)
            self._typing[chat_id] = now

    async def _subscribe_all(self, since: dict[int, int]) -> None:
        # First of all, so that no chat that is joined meanwhile falls between.
        self._hub.follow(self._connection)
        heads = await stream_heads(self._user_id)
        online = await self._news.online_in(heads)
        for chat_id, seq in heads.items():
            if not await self._connection.drained():
                return
            self._subscribe(chat_id, seq, since.get(chat_id), online.get(chat_id, ()))

    async def _subscribe_one(self, chat_id: int, since: int | None) -> None:
        seq = await stream_head(chat_id, self._user_id)
        online = await self._news.online_in([chat_id])
        self._subscribe(chat_id, seq, since, online.get(chat_id, ()))

    def _subscribe(self, chat_id: int, seq: int, since: int | None, online: tuple[int, ...]) -> None:
        self._hub.subscribe(
            self._connection,
            topic_of(chat_id),
            seq=seq,
            since=since,
            greeting=frames.subscribed(chat_id, seq, online),
            reset=frames.reset(chat_id, seq),
        )


def _no_scope(operation: str) -> AccessDenied:
    """What is said to an API key that was made for other things."""
    return AccessDenied(f"This API key has no scope {ROUTE}:{operation}.")


def _is_too_big(text: str) -> bool:
    """Servers mostly refuse such a frame before we see it; not all do. A character has at most 4 bytes."""
    return len(text) * 4 > MAX_FRAME_BYTES and len(text.encode(errors="replace")) > MAX_FRAME_BYTES
