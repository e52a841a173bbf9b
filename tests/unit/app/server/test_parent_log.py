import json

import pytest

from app.server.parent_log import LOGGER, parent_log


def test_text_has_time_level_logger_and_message(capsys: pytest.CaptureFixture[str]) -> None:
    with parent_log("text"):
        LOGGER.error("a worker %s", "ended")
    line = capsys.readouterr().err
    assert line.endswith("Z ERROR app.server.parent: a worker ended\n")


def test_json_has_the_same_as_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    with parent_log("json"):
        LOGGER.info('it said "so"')
    line = json.loads(capsys.readouterr().err)
    assert line.pop("ts").endswith("Z")
    assert line == {"level": "info", "logger": "app.server.parent", "message": 'it said "so"'}


def test_the_logger_is_like_any_other_afterwards(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with parent_log("text"):
        pass
    LOGGER.error("a worker ended")
    assert capsys.readouterr().err == ""
    assert caplog.messages == ["a worker ended"]
