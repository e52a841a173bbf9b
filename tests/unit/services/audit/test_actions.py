import pytest

from orm.errors import UsageError
from services.audit.actions import _document, record


@pytest.mark.parametrize("action", ["create", "update", "delete", "truncate"])
async def test_an_event_cannot_pass_for_a_change_of_a_row(action: str) -> None:
    with pytest.raises(UsageError, match="give the event its own name"):
        await record(action)


def test_no_text_keeps_an_event_from_being_written() -> None:
    assert _document({"login": "a\x00b\ud800", "all\x00": [{"x": "\x00"}], "n": 1}) == (
        '{"login":"a\ufffdb?","all\ufffd":[{"x":"\ufffd"}],"n":1}'
    )


def test_no_details_are_null() -> None:
    assert _document({}) is None
