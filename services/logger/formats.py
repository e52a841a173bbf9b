"""The two formats of a log line. Neither shows a secret, nor can what a client sent forge a line."""

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from app.core.access import access_session_or_none
from app.core.redaction import REDACTED
from app.core.request_context import request_id
from app.http.access_log import AccessRecord
from app.http.trace import current_trace

Redact = Callable[[str], str]

_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
_SECRET_NAME = re.compile(r"password|secret|authorization|cookie|api_?key|(?:^|_)token$", re.IGNORECASE)
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))} | {
    ord("\n"): "\\n",
    ord("\r"): "\\r",
    ord("\t"): " ",
}
_LARGEST_JSON_INTEGER = 2**63 - 1


class JsonFormatter(logging.Formatter):
    """One JSON object a line: `ts` (RFC 3339, UTC), `level`, `logger`, `message`, `request_id`, `user_id`,
    of a request whose caller is traced `trace_id` and `parent_id`, then the extra fields.

    `exception` and `stack` hold text with line breaks, where there are any. An extra field replaces a field
    of ours.
    """

    def __init__(self, redact: Redact) -> None:
        super().__init__()
        self._redact = redact
        self._times = _Times()
        self._encode = msgspec.json.Encoder().encode

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        if _is_plain(record):
            return self._access_line(record)
        line: dict[str, Any] = {
            "ts": self._times.of(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _clean(record.getMessage(), self._redact),
            **_whose(),
        }
        for name, value in _extras(record):
            line[name] = _clean(value, self._redact)
        for name, text in _tracebacks(self, record):
            line[name] = _clean(text, self._redact)
        return self._encode(line).decode()

    def _access_line(self, record: logging.LogRecord) -> str:
        assert isinstance(record.args, Mapping)
        fields = {**record.args, "path": self._redact(str(record.args["path"]))}
        line = {
            "ts": self._times.of(record),
            "level": "info",
            "logger": record.name,
            "message": record.msg % fields,
            **_whose(),
            **fields,
        }
        return self._encode(line).decode()


class TextFormatter(logging.Formatter):
    """`2026-01-31T12:00:00.123Z INFO app.main: message request_id=... name=value`, with a traceback on the
    lines below.
    """

    def __init__(self, redact: Redact) -> None:
        super().__init__()
        self._redact = redact
        self._times = _Times()

    def format(self, record: logging.LogRecord) -> str:
        """The line, and the lines of a traceback, without the last end of line."""
        if _is_plain(record):
            line = self._access_line(record)
            if line.isascii() and line.isprintable():
                return line
        # What the message was made of need not be said twice.
        said = record.args if isinstance(record.args, Mapping) else {}
        extras = {name: value for name, value in _extras(record) if name not in said}
        fields = {**_whose(), **extras}
        message = _clean(record.getMessage(), self._redact)
        words = [
            f"{self._times.of(record)} {record.levelname} {record.name}: {message}",
            *(f"{name}={_clean(value, self._redact)}" for name, value in fields.items() if value is not None),
        ]
        line = " ".join(words).translate(_CONTROLS)
        # Indented, so that a line break within an error's text cannot begin a line of its own.
        below = (
            "    " + _clean(part, self._redact).translate(_CONTROLS)
            for _, text in _tracebacks(self, record)
            for part in text.splitlines()
        )
        return "\n".join((line, *below))

    def _access_line(self, record: logging.LogRecord) -> str:
        line = f"{self._times.of(record)} INFO {record.name}: {record.getMessage()}"
        for name, value in _whose().items():
            if value is not None:
                line += f" {name}={value}"
        return self._redact(line)


class _Times:
    """When records were made, in RFC 3339 with milliseconds, UTC; all but these is made once a second."""

    def __init__(self) -> None:
        self._second = -1
        self._text = ""

    def of(self, record: logging.LogRecord) -> str:
        """The time of one."""
        second = int(record.created)
        if second != self._second:
            self._text = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
            self._second = second
        return f"{self._text}.{int(record.created % 1 * 1000):03d}Z"


def _is_plain(record: logging.LogRecord) -> bool:
    """Whether it is the line of a request and nobody added to it. Each request waits for its line; so these
    are written without looking at every field, of which none but the path came from the client."""
    return record.__class__ is AccessRecord and len(record.__dict__) == AccessRecord.ATTRIBUTES


def _whose() -> dict[str, Any]:
    session = access_session_or_none()
    whose = {"request_id": request_id.get(), "user_id": None if session is None else session.user_id}
    trace = current_trace.get()
    return whose if trace is None else whose | trace._asdict()


def _extras(record: logging.LogRecord) -> Iterator[tuple[str, Any]]:
    for name, value in vars(record).items():
        if name not in _STANDARD:
            yield name, REDACTED if _SECRET_NAME.search(name) else value


def _tracebacks(formatter: logging.Formatter, record: logging.LogRecord) -> Iterator[tuple[str, str]]:
    if record.exc_info:
        yield "exception", formatter.formatException(record.exc_info)
    if record.stack_info:
        yield "stack", formatter.formatStack(record.stack_info)


def _clean(value: Any, redact: Redact) -> Any:
    """`value` as something that JSON can hold, its texts without secrets and without broken Unicode."""
    if isinstance(value, str):
        text = redact(value)
        return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int) and abs(value) <= _LARGEST_JSON_INTEGER:
        return value
    if isinstance(value, Mapping):
        return {
            str(name): REDACTED if _SECRET_NAME.search(str(name)) else _clean(item, redact)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(item, redact) for item in value]
    return _clean(str(value), redact)
