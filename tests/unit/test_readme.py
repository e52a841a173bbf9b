"""The README keeps its word: every setting, close code and command is told of in its tables."""

import re
from pathlib import Path
from typing import Any

import pytest

from app.cli import COMMANDS
from app.core.settings.sections import catalog
from app.project_setup import Settings
from app.realtime import CloseCode

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def shown(value: Any) -> str:
    """A default as the table writes it."""
    if value is None:
        return "unset"
    if isinstance(value, tuple):
        return ",".join(value) or "empty"
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize("setting", catalog(Settings), ids=lambda setting: setting.name)
def test_every_setting_stands_in_the_table_with_its_default_and_help(setting: Any) -> None:
    assert f"| `{setting.name}` | {shown(setting.default)} | {setting.help} |" in README


def test_no_setting_stands_in_the_table_that_is_not_there() -> None:
    table = README.partition("<!-- settings -->")[2].partition("<!-- end of settings -->")[0]
    assert set(re.findall(r"^\| `([A-Z_]+)`", table, re.MULTILINE)) == {
        setting.name for setting in catalog(Settings)
    }


@pytest.mark.parametrize("code", list(CloseCode), ids=lambda code: str(int(code)))
def test_every_close_code_says_whether_to_come_back(code: CloseCode) -> None:
    assert f"| {int(code)} | {code.reason} | {code.comeback.value} |" in README


@pytest.mark.parametrize("command", list(COMMANDS))
def test_every_command_is_told_of(command: str) -> None:
    assert f"| `starling {command}" in README


def test_it_opens_with_one_sentence_and_the_two_commands() -> None:
    title, sentence, *_ = [block for block in README.split("\n\n") if block.strip()]
    assert title == "# Starling"
    assert sentence.count(". ") == 0
    assert ".venv/bin/pip install -e '.[embedded,fast]' && .venv/bin/starling serve" in README
    assert ".venv/bin/pip install -e '.[test]' && .venv/bin/pytest" in README
