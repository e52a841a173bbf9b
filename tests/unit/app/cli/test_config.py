from pathlib import Path

import msgspec
import pytest

from app.cli import main
from app.core.settings import catalog
from app.project_setup import Settings

SECRET = "k" * 32


@pytest.fixture(autouse=True)
def bare_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting is given, and there is no .env."""
    monkeypatch.chdir(tmp_path)
    for setting in catalog(Settings):
        monkeypatch.delenv(setting.name, raising=False)
        monkeypatch.delenv(setting.name + "_FILE", raising=False)


def test_show_names_every_setting_with_value_and_origin(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(".env").write_text("LOGGER__FORMAT=json\n")
    Path("secret").write_text(SECRET)
    monkeypatch.setenv("HTTP__CORS_ORIGINS", "https://a.example, https://b.example")
    monkeypatch.setenv("AUTH__SECRET_FILE", "secret")

    assert main(["config"]) == 0

    lines = [line.split(maxsplit=2) for line in capsys.readouterr().out.splitlines()]
    rows = {name: (value, origin) for name, value, origin in lines}
    assert list(rows) == [setting.name for setting in catalog(Settings)]
    assert rows["LOGGER__FORMAT"] == ("json", ".env")
    assert rows["HTTP__CORS_ORIGINS"] == ("https://a.example,https://b.example", "environment")
    assert rows["AUTH__SECRET"] == ("***", "file secret")
    assert rows["DATABASE__URL"] == ("(unset)", "default")


@pytest.mark.parametrize("argv", [["config", "show"], ["config", "show", "--json"]])
def test_show_hides_secrets_and_passwords(
    argv: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AUTH__SECRET", SECRET)
    monkeypatch.setenv("AUTH__ADMIN_PASSWORD", "hidden-one")
    monkeypatch.setenv("DATABASE__URL", "postgresql://me:hidden-two@db/x")
    monkeypatch.setenv("PUBSUB__URL", "redis://:hidden-three@db/0")

    assert main(argv) == 0

    shown = capsys.readouterr().out
    assert "postgresql://me:***@db/x" in shown
    assert "hidden" not in shown
    assert SECRET not in shown


def test_show_as_json_has_a_value_of_the_right_type_and_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "show", "--json"]) == 0

    rows = {row["name"]: row for row in msgspec.json.decode(capsys.readouterr().out)["data"]}
    assert rows["HTTP__PORT"] == {
        "name": "HTTP__PORT",
        "value": 8000,
        "origin": "default",
        "help": "Port to listen on; 0: the system chooses one.",
    }
    assert rows["HTTP__ALLOWED_HOSTS"]["value"] == ["*"]
    assert rows["DATABASE__POOLER"]["value"] is False


def test_check_says_that_settings_are_right(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "check"]) == 0
    assert capsys.readouterr().out == "the settings are right\n"
    assert main(["config", "check", "--json"]) == 0
    assert msgspec.json.decode(capsys.readouterr().out) == {"is_valid": True, "problems": []}


@pytest.mark.parametrize("action", ["check", "show"])
def test_wrong_settings_are_told_all_at_once(
    action: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HTTP__PORT", "x")
    monkeypatch.setenv("AUTH__SECRET", "too-short")

    assert main(["config", action]) == 1

    assert capsys.readouterr().err == (
        "starling: the settings are wrong:\n"
        "  HTTP__PORT is 'x': write a whole number from 0 to 65535\n"
        "  AUTH__SECRET has 9 bytes: write 32 or more, for example what `openssl rand -hex 32` prints\n"
    )


def test_check_as_json_lists_the_problems(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HTTP__PORT", "x")

    assert main(["config", "check", "--json"]) == 1

    assert msgspec.json.decode(capsys.readouterr().out) == {
        "is_valid": False,
        "problems": ["HTTP__PORT is 'x': write a whole number from 0 to 65535"],
    }
