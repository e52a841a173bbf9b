"""The handler of one environment on the root logger, side by side with those of others."""

import logging
from collections.abc import Sequence

from orm import context
from orm.context import Home

# With handlers of their own, which uvicorn may have given them, a line would be written twice.
_ROUTED = ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi")


class EnvironmentHandler(logging.StreamHandler):  # type: ignore[type-arg]  # generic for type checkers only
    """Writes to standard error what is logged in one environment.

    Several may be installed in a process. A record belongs to the environment that its context is bound to,
    and one that belongs to none of them (a thread, a signal) to the one that was installed first, so that
    nothing is written twice.
    """

    def __init__(self, home: Home, *, level: str) -> None:
        super().__init__()
        self.setLevel(level)
        self._home = home
        self._before: _Before | None = None

    def install(self) -> None:
        """Add this handler to the root logger, and send uvicorn's records there too."""
        root = logging.getLogger()
        others = _installed()
        # What there was before any of us. Whoever goes last puts it back, in whatever order they go.
        self._before = others[0]._before if others else _Before()
        if not others:
            for name in _ROUTED:
                logger = logging.getLogger(name)
                logger.handlers, logger.propagate = [], True
        root.addHandler(self)
        _set_root_level([*others, self])

    def uninstall(self) -> None:
        """Take this handler away; the last one restores levels and handlers as they were."""
        logging.getLogger().removeHandler(self)
        others = _installed()
        if others:
            _set_root_level(others)
        elif self._before is not None:
            self._before.restore()
        self.close()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record belongs to this handler's environment."""
        bound = context.current_or_none()
        if bound is self._home:
            return bool(super().filter(record))
        installed = _installed()
        owner = next(
            (handler for handler in installed if handler._home is bound), installed[0] if installed else self
        )
        return owner is self and bool(super().filter(record))

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line. The base does the same, and takes the lock, which is held here, once more."""
        try:
            self.stream.write(self.format(record) + self.terminator)
            self.stream.flush()
        except RecursionError:  # as the base has it: to report it would be one more
            raise
        except Exception:  # noqa: BLE001 - a log that cannot be written must not end what it tells of
            self.handleError(record)


class _Before:
    """How logging was configured before the first of our handlers came."""

    def __init__(self) -> None:
        self._root_level = logging.getLogger().level
        self._routed = [
            (logger, logger.handlers, logger.propagate) for logger in map(logging.getLogger, _ROUTED)
        ]

    def restore(self) -> None:
        logging.getLogger().setLevel(self._root_level)
        for logger, handlers, propagate in self._routed:
            logger.handlers, logger.propagate = handlers, propagate


def _installed() -> list[EnvironmentHandler]:
    return [handler for handler in logging.getLogger().handlers if isinstance(handler, EnvironmentHandler)]


def _set_root_level(handlers: Sequence[EnvironmentHandler]) -> None:
    logging.getLogger().setLevel(min(handler.level for handler in handlers))
