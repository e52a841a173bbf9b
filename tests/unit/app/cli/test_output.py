import msgspec
import pytest

from app.cli.output import print_json, print_table


def test_a_table_has_columns_as_wide_as_their_widest_cell(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([("GET", "/chats", "chat"), ("DELETE", "/x", "")])

    assert capsys.readouterr().out == "GET     /chats  chat\nDELETE  /x\n"


def test_an_empty_table_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([])

    assert capsys.readouterr().out == ""


def test_json_can_be_read_back(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"data": [1, "\u00e9"]})

    assert msgspec.json.decode(capsys.readouterr().out) == {"data": [1, "\u00e9"]}
