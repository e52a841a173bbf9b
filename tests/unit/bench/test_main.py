import argparse
from typing import Any

import pytest

from tests.bench import __main__ as rig


def part(name: str, code: int, ran: list[tuple[str, bool]]) -> Any:
    def run(options: argparse.Namespace) -> int:
        ran.append((name, options.check))
        return code

    def add_to(parts: Any) -> None:
        parser = parts.add_parser(name)
        parser.add_argument("--check", action="store_true")
        parser.set_defaults(run=run)

    return add_to


@pytest.mark.parametrize("check", [False, True])
def test_all_runs_every_part_and_ends_with_the_worst_code(
    check: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[tuple[str, bool]] = []
    monkeypatch.setattr(
        rig, "PARTS", {name: part(name, code, ran) for name, code in [("a", 0), ("b", 2), ("c", 1)]}
    )
    assert rig.main(["all", *["--check"] * check]) == 2
    assert ran == [("a", check), ("b", check), ("c", check)]
    assert capsys.readouterr().out.split() == ["===", "a", "===", "b", "===", "c"]


def test_one_part_runs_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[tuple[str, bool]] = []
    monkeypatch.setattr(rig, "PARTS", {"a": part("a", 1, ran), "b": part("b", 0, ran)})
    assert rig.main(["a"]) == 1
    assert ran == [("a", False)]


def test_every_part_has_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    for name in (*rig.PARTS, "all"):
        with pytest.raises(SystemExit):
            rig.main([name, "--help"])
        assert "--check" in capsys.readouterr().out
