import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.access import AccessSession, reset_access_session, set_access_session
from app.core.redaction import redactor
from app.core.request_context import request_id
from app.http import access_log
from app.http.trace import Trace, current_trace
from orm.tally import Tally
from services.logger.formats import JsonFormatter, TextFormatter

REDACT = redactor(["very-secret"])
FORMATTERS: list[Callable[..., logging.Formatter]] = [JsonFormatter, TextFormatter]


def record(
    message: str, *args: Any, extra: dict[str, Any] | None = None, exc_info: Any = None
) -> logging.LogRecord:
    made = logging.getLogger("app.test").makeRecord(
        "app.test", logging.WARNING, __file__, 1, message, args, exc_info, extra=extra
    )
    made.created = 1_767_225_600.25
    return made


def as_json(made: logging.LogRecord) -> dict[str, Any]:
    line = JsonFormatter(REDACT).format(made)
    assert "\n" not in line
    decoded: dict[str, Any] = msgspec.json.decode(line)
    return decoded


def as_text(made: logging.LogRecord) -> str:
    return TextFormatter(REDACT).format(made)


def raised() -> Any:
    try:
        raise ValueError("the key is very-secret\n2026-01-01T00:00:00.000Z INFO forged: line")
    except ValueError:
        return sys.exc_info()


def test_a_json_line_has_time_level_logger_message_and_whose_it_is() -> None:
    id_token = request_id.set("r-1")
    session_token = set_access_session(AccessSession(user_id=7, login="ada", name="Ada"))
    try:
        line = as_json(record("hello %s", "world"))
    finally:
        reset_access_session(session_token)
        request_id.reset(id_token)

    assert line == {
        "ts": "2026-01-01T00:00:00.250Z",
        "level": "warning",
        "logger": "app.test",
        "message": "hello world",
        "request_id": "r-1",
        "user_id": 7,
    }


def test_a_text_line_has_the_same_and_leaves_out_what_is_not_there() -> None:
    assert as_text(record("hello")) == "2026-01-01T00:00:00.250Z WARNING app.test: hello"
    token = request_id.set("r-1")
    try:
        assert as_text(record("hello")).endswith(" app.test: hello request_id=r-1")
    finally:
        request_id.reset(token)


def test_extra_fields_are_on_the_line_and_win_over_ours() -> None:
    made = record("hello", extra={"status": 200, "request_id": "r-2", "nested": {"a": [1, None]}})

    line = as_json(made)

    assert (line["status"], line["request_id"], line["nested"]) == (200, "r-2", {"a": [1, None]})
    assert as_text(made).endswith(": hello request_id=r-2 status=200 nested={'a': [1, None]}")


def test_a_text_line_does_not_repeat_what_its_message_says() -> None:
    fields = {"method": "GET", "path": "/x"}
    made = record("%(method)s %(path)s", fields, extra={**fields, "status": 200})

    assert as_text(made).endswith("app.test: GET /x status=200")
    assert as_json(made)["path"] == "/x"


@pytest.mark.parametrize("formatter", FORMATTERS)
@pytest.mark.parametrize(
    "made",
    [
        record("the key is %s", "very-secret"),
        record("hello", extra={"note": "very-secret"}),
        record("hello", extra={"nested": {"deep": ["a very-secret one"]}}),
        record("hello", extra={"thing": ValueError("very-secret")}),
        record("hello", exc_info=raised()),
        record("hello", extra={"password": "other-one"}),
        record("hello", extra={"headers": {"Authorization": "other-one", "cookie": "other-one"}}),
        record(
            "hello", extra={"access_token": "other-one", "client_secret": "other-one", "api_key": "other-one"}
        ),
        record("cannot reach postgresql://me:other-one@host/db"),
        record("sent Authorization: Bearer other-one"),
    ],
    ids=lambda made: made.getMessage(),
)
def test_a_secret_is_on_no_line(formatter: Callable[..., logging.Formatter], made: logging.LogRecord) -> None:
    line = formatter(REDACT).format(made)

    assert "very-secret" not in line
    assert "other-one" not in line
    assert "***" in line


def test_what_a_client_sent_cannot_begin_a_line() -> None:
    line = as_text(record("path %s", "/x\n2026-01-01 INFO forged\r\x1b[31m\x85", extra={"agent": "a\nb"}))

    assert line.endswith(r"path /x\n2026-01-01 INFO forged\r\x1b[31m\x85 agent=a\nb")


def test_an_exception_is_below_its_line_and_indented() -> None:
    first, *below = as_text(record("it failed", exc_info=raised())).split("\n")

    assert first.endswith("app.test: it failed")
    assert below[0] == "    Traceback (most recent call last):"
    assert below[-1] == "    2026-01-01T00:00:00.000Z INFO forged: line"
    assert all(line.startswith("    ") for line in below)


def test_an_exception_is_one_field_of_a_json_line() -> None:
    line = as_json(record("it failed", exc_info=raised()))

    assert line["exception"].startswith("Traceback (most recent call last):\n")
    assert "ValueError: the key is ***" in line["exception"]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (float("nan"), None),
        (2**70, str(2**70)),
        (b"\xff", "b'\\xff'"),
        ("caf\u00e9 \ud800", "caf\u00e9 \\ud800"),
        ({1: {2}}, {"1": [2]}),
        (True, True),
    ],
)
def test_any_value_can_be_written_as_json(value: Any, written: Any) -> None:
    assert as_json(record("hello", extra={"value": value}))["value"] == written


def test_the_trace_of_a_caller_is_in_every_line_of_its_request() -> None:
    token = current_trace.set(Trace("4bf92f35", "00f067aa"))
    try:
        line = as_json(record("hello"))
        assert (line["trace_id"], line["parent_id"]) == ("4bf92f35", "00f067aa")
        assert "trace_id=4bf92f35" in as_text(record("hello"))
    finally:
        current_trace.reset(token)
    assert "trace_id" not in as_json(record("hello"))


def line_of(path: str, method: str, written: list[logging.LogRecord]) -> logging.LogRecord:
    """The record of a request as the access log makes it."""
    tally = Tally()
    tally.statements, tally.seconds = 2, 0.00123456
    access_log.write({"type": "http", "method": method, "path": path}, 200, 0.0123456, tally)
    return written.pop()


@pytest.fixture
def written() -> Iterator[list[logging.LogRecord]]:
    """The records of requests."""
    records: list[logging.LogRecord] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    logger, collector = logging.getLogger("starling.access"), Collector()
    logger.addHandler(collector)
    logger.setLevel(logging.INFO)
    yield records
    logger.removeHandler(collector)
    logger.setLevel(logging.NOTSET)


@given(
    path=st.text(st.sampled_from("/ab%20{:}é\n\x1b\ud800") | st.characters(), max_size=30)
    | st.just("/very-secret/bearer abcdef"),
    method=st.sampled_from(["GET", "POST", "WEBSOCKET", "BR\xe9W"]),
    user_id=st.none() | st.integers(1, 10),
    is_traced=st.booleans(),
    formatter=st.sampled_from(FORMATTERS),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_line_of_a_request_reads_as_if_it_were_any_other(
    written: list[logging.LogRecord],
    path: str,
    method: str,
    user_id: int | None,
    is_traced: bool,
    formatter: Callable[..., logging.Formatter],
) -> None:
    made = line_of(path, method, written)
    as_any_other = logging.makeLogRecord(vars(made))
    session = None if user_id is None else AccessSession(user_id=user_id, login="ada", name="Ada")
    session_token, id_token = set_access_session(session), request_id.set("r-1")
    trace_token = current_trace.set(Trace("4bf92f35", "00f067aa") if is_traced else None)
    try:
        assert formatter(REDACT).format(made) == formatter(REDACT).format(as_any_other)
    finally:
        current_trace.reset(trace_token)
        request_id.reset(id_token)
        reset_access_session(session_token)


@pytest.mark.parametrize("formatter", FORMATTERS)
def test_what_a_filter_adds_to_the_record_of_a_request_is_on_its_line(
    formatter: Callable[..., logging.Formatter], written: list[logging.LogRecord]
) -> None:
    made = line_of("/x", "GET", written)
    made.region = "north"

    assert "north" in formatter(REDACT).format(made)


def test_the_record_of_a_request_has_what_every_record_has(written: list[logging.LogRecord]) -> None:
    made = line_of("/x", "GET", written)
    usual = logging.getLogger("starling.access").makeRecord(
        "starling.access", logging.INFO, "", 0, "", (), None
    )

    assert set(vars(usual)) <= set(vars(made))
    assert (made.process, made.threadName) == (usual.process, usual.threadName)
    assert 0 <= usual.created - made.created < 5
    assert usual.relativeCreated - made.relativeCreated == pytest.approx(
        (usual.created - made.created) * 1000, abs=1
    )
    assert (
        logging.Formatter("%(levelname)s %(name)s %(message)s")
        .format(made)
        .startswith("INFO starling.access GET /x 200 12.3 ms, 2 statements 1.2 ms")
    )


def test_the_time_of_a_line_moves_on() -> None:
    formatter = TextFormatter(REDACT)
    lines = []
    for created in (1_767_225_599.9994, 1_767_225_600.0, 1_767_225_600.9996, 1_767_225_601.0625):
        made = record("hello")
        made.created = created
        lines.append(formatter.format(made).split(" ")[0])
    assert lines == [
        "2025-12-31T23:59:59.999Z",
        "2026-01-01T00:00:00.000Z",
        "2026-01-01T00:00:00.999Z",
        "2026-01-01T00:00:01.062Z",
    ]
