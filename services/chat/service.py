"""What the verbs of the chat ask of the service that runs in their process."""

from collections.abc import Callable
from typing import Final

from app.core.environment import Environment, current_environment
from app.core.service import Service
from app.realtime import Realtime
from orm import UsageError
from services.chat.settings import ChatSettings

NAME: Final = "chat"


class RunningChat(Service):
    """The part of ChatService (app.py) that does not need the verbs itself."""

    def __init__(self, env: Environment) -> None:
        super().__init__(env)
        self.settings = env.settings.section(ChatSettings)
        self.has_trigrams = False
        """Whether parts of words are found by an index. Known once post-init is over."""
        self.is_online: Callable[[int], bool] = lambda user_id: False
        """Whether a user has a socket at any worker, as far as this process knows."""
        self._realtime: Realtime | None = None

    @property
    def realtime(self) -> Realtime:
        """The broker and the hub of this process. Raises UsageError before `startup`."""
        if self._realtime is None:
            raise UsageError("the chat service is not running: add chat to Apps.services_after")
        return self._realtime


def running_chat() -> RunningChat:
    """The service of the environment that this context is bound to. Raises Unbound; UsageError where no
    chat is installed.
    """
    for module in current_environment().apps:
        # The name first: asking an abstract class for its instances, of each module, costs ten times as much.
        if module.info.name == NAME and isinstance(module, RunningChat):
            return module
    raise UsageError("the module chat is not installed: add services.chat to Apps.installed")
