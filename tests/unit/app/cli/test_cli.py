import argparse
import subprocess
import sys
from types import SimpleNamespace

import pytest

from app import __version__, cli
from app.core.errors import StartError
from orm.errors import DatabaseUnavailable, DeclarationError


def failing_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def run(arguments: argparse.Namespace) -> int:
        raise error

    command = SimpleNamespace(configure=lambda parser: None, run=run)
    monkeypatch.setattr(cli, "import_module", lambda name: command)


def test_help_lists_every_command_with_its_summary(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0

    shown = capsys.readouterr().out
    for name, summary in cli.COMMANDS.items():
        assert name in shown
        assert summary in shown


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_has_help_of_its_own(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([name, "--help"]) == 0
    assert f"usage: starling {name}" in capsys.readouterr().out


def test_the_version_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"starling {__version__}\n"


@pytest.mark.parametrize(
    "argv", [[], ["nonsense"], ["config", "nonsense"], ["config", "--nonsense"], ["--nonsense"]]
)
def test_wrong_use_is_exit_code_2_with_the_usage(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(argv) == 2

    streams = capsys.readouterr()
    assert streams.out == ""
    assert streams.err.startswith("usage: starling")


@pytest.mark.parametrize("kind", [StartError, DeclarationError, DatabaseUnavailable])
def test_what_a_person_can_mend_is_one_message_and_exit_code_1(
    kind: type[Exception], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing_with(monkeypatch, kind("the port is taken"))

    assert cli.main(["routes"]) == 1
    assert capsys.readouterr().err == "starling: the port is taken\n"


def test_an_interrupted_command_is_exit_code_1_without_a_stack(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing_with(monkeypatch, KeyboardInterrupt())

    assert cli.main(["routes"]) == 1
    assert capsys.readouterr().err == "starling: interrupted\n"


def test_a_fault_of_ours_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    failing_with(monkeypatch, ZeroDivisionError())

    with pytest.raises(ZeroDivisionError):
        cli.main(["routes"])


@pytest.mark.parametrize("argv", [["config", "show", "--json"], ["config", "check"]], ids=["much", "little"])
def test_a_reader_that_goes_away_is_no_stack(argv: list[str]) -> None:
    program = f"import sys; from app.cli import main; sys.exit(main({argv}))"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        errors = process.stderr.read()

    assert errors == ""


def test_help_does_not_import_the_server() -> None:
    program = (
        "import sys; from app.cli import main; main(['--help']); print(sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert "starlette" not in done.stderr
    assert "uvicorn" not in done.stderr
    assert "app.project_setup" not in done.stderr
