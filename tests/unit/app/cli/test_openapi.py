from pathlib import Path

import msgspec
import pytest

from app.cli import main
from tests.support.openapi import faults


def test_the_command_prints_the_document_without_starting_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["openapi"]) == 0
    printed = capsys.readouterr().out
    document = msgspec.json.decode(printed)
    assert faults(document) == []
    assert "/api/partners" in document["paths"]
    assert len(printed.splitlines()) > 1000  # so that two of them can be compared line by line
    assert list(tmp_path.iterdir()) == []
