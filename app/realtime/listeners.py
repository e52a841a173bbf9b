"""Code of this process that listens to topics, beside the sockets."""

import logging
from collections.abc import Callable
from typing import Final

logger = logging.getLogger(__name__)

Callback = Callable[[bytes], None]
GapCallback = Callable[[], None]


class Listening:
    """One listener. After `stop` it is called no more; a second `stop` does nothing."""

    def __init__(
        self, stop: Callable[["Listening"], None], callback: Callback, on_gap: GapCallback | None
    ) -> None:
        self._stop: Final = stop
        self.callback: Final = callback
        self.on_gap: Final = on_gap

    def stop(self) -> None:
        """Listen no longer."""
        self._stop(self)


class Listeners:
    """Who listens to what. Callbacks are called one after the other; one that raises is logged and stays."""

    def __init__(self) -> None:
        self._of_topic: dict[str, list[Listening]] = {}

    def add(self, topic: str, callback: Callback, on_gap: GapCallback | None) -> Listening:
        """From now on `callback` is called with the payload of what is told under the topic."""

        def stop(listening: Listening) -> None:
            of_topic = self._of_topic.get(topic, [])
            if listening in of_topic:
                of_topic.remove(listening)
            if not of_topic:
                self._of_topic.pop(topic, None)

        listening = Listening(stop, callback, on_gap)
        self._of_topic.setdefault(topic, []).append(listening)
        return listening

    def tell(self, topic: str, payload: bytes) -> None:
        """Call those that listen to a topic."""
        for listening in tuple(self._of_topic.get(topic, ())):
            try:
                listening.callback(payload)
            except Exception:
                logger.exception("a listener of %s failed", topic)

    def gap(self) -> None:
        """Call those that want to know that they may have missed something."""
        for topic, of_topic in tuple(self._of_topic.items()):
            for listening in tuple(of_topic):
                if listening.on_gap is not None:
                    try:
                        listening.on_gap()
                    except Exception:
                        logger.exception("a listener of %s failed", topic)
