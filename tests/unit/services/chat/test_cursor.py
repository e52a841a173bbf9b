import base64
import datetime as dt

import pytest

from orm import CursorError
from services.chat.cursor import decode_cursor, encode_cursor

AT = dt.datetime(2031, 5, 6, 7, 8, 9, 123456, tzinfo=dt.UTC)


@pytest.mark.parametrize("chat_id", [1, 12, 123, 1234, 2**63 - 1])
def test_a_place_comes_back_as_it_was(chat_id: int) -> None:
    cursor = encode_cursor(True, AT, chat_id)
    assert decode_cursor(cursor) == (True, AT, chat_id)
    assert cursor.replace("-", "").replace("_", "").isalnum()


def _packed(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "not base64!",
        "ключ",
        _packed("{}"),
        _packed("[1]"),
        _packed("[1,2]"),
        _packed("[1,2,3]"),
        _packed("[true,2,0]"),
        _packed('[true,"1",2]'),
        _packed("[true,2,3"),
        _packed("[true,9000000000000000000,1]"),
        _packed("[false,1,99999999999999999999]"),
    ],
)
def test_what_no_page_gave_out_is_refused_by_pointer(text: str) -> None:
    with pytest.raises(CursorError) as caught:
        decode_cursor(text)
    assert caught.value.errors[0].pointer == "/query/after"
