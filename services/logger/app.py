"""Routes the log of the process to one stream, in one format, while this environment runs."""

from starlette.applications import Starlette

from app.core.redaction import redactor
from app.core.service import Info, Service
from app.core.settings import secret_values
from services.logger.formats import JsonFormatter, TextFormatter
from services.logger.handler import EnvironmentHandler
from services.logger.settings import LoggerSettings


class LoggerService(Service):
    """Configures the standard library's logging, and puts back what was there before."""

    info = Info(name="logger", summary="Writes the log, as text for people or as JSON for machines.")

    _handler: EnvironmentHandler | None = None

    async def startup(self, app: Starlette) -> None:
        """From now on records of LOGGER__LEVEL and above go to standard error."""
        settings = self.env.settings.section(LoggerSettings)
        redact = redactor(secret_values(self.env.settings))
        self._handler = EnvironmentHandler(self.env, level=settings.level.upper())
        self._handler.setFormatter(
            JsonFormatter(redact) if settings.format == "json" else TextFormatter(redact)
        )
        self._handler.install()

    async def shutdown(self, app: Starlette) -> None:
        """Logging is as it was before."""
        if self._handler is not None:
            self._handler.uninstall()
            self._handler = None
