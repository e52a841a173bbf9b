import pytest

from app.cli import main
from app.cli.audit import _as_json, _as_text
from services.audit.diagnosis import Break
from services.audit.verify import Verdict

HASH = bytes(range(32))


@pytest.mark.parametrize(
    "note", ["", "17", "17:", "0:" + "a" * 64, "-1:" + "a" * 64, "1:" + "g" * 64, "1:" + "a" * 63]
)
def test_a_note_that_is_none_is_wrong_use(note: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "verify", f"--expect={note}"]) == 2
    assert "is no position and hash" in capsys.readouterr().err


def test_what_is_to_be_done_must_be_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit"]) == 2
    assert capsys.readouterr().err.startswith("usage: starling audit")


@pytest.mark.parametrize(
    ("verdict", "lines"),
    [
        (
            Verdict(0, bytes(32), 0, None),
            ["the audit log is whole: no entry is chained yet; 0 wait to be chained"],
        ),
        (
            Verdict(1, HASH, 1, None),
            [
                "the audit log is whole: 1 entry is chained; 1 waits to be chained",
                f"1:{HASH.hex()}",
                "Note this line where the database cannot reach it, and give it to --expect one day.",
            ],
        ),
        (
            Verdict(4, HASH, 2, Break("changed", "entry 9 was changed", 5, 9)),
            [
                "the audit log is not whole (changed): entry 9 was changed",
                "4 links before it are in order; 2 wait to be chained",
            ],
        ),
    ],
    ids=["empty", "whole", "broken"],
)
def test_a_verdict_reads_as_sentences(verdict: Verdict, lines: list[str]) -> None:
    assert _as_text(verdict).splitlines() == lines


def test_a_verdict_is_data_too() -> None:
    found = Break("removed", "entry 9 was removed", 5, 9)

    assert _as_json(Verdict(4, HASH, 2, found)) == {
        "is_whole": False,
        "position": 4,
        "hash": HASH.hex(),
        "waiting": 2,
        "trimmed": 0,
        "break": found,
    }
