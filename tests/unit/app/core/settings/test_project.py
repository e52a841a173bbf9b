from pathlib import Path

import msgspec
import pytest

from app.core.errors import SettingsError, StartError
from app.core.settings import Section, SettingsCore, check, secret_values
from tests.unit.app.core.settings.samples import Bicycle, Engine, Wheel


def test_load_reads_the_process_environment_and_the_env_file_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ENGINE__POWER", "7")
    Path(".env").write_text("WHEEL__SIZE=28\n")

    assert Bicycle.load() == Bicycle(engine=Engine(power=7), wheel=Wheel(size=28))


def test_settings_are_frozen() -> None:
    with pytest.raises(AttributeError):
        Bicycle().engine.power = 4  # type: ignore[misc]


def test_a_section_is_found_by_its_class() -> None:
    assert Bicycle(wheel=Wheel(size=28)).section(Wheel).size == 28


def test_a_section_that_is_not_there_is_a_start_error() -> None:
    class Bell(Section, frozen=True, kw_only=True):
        pass

    with pytest.raises(StartError, match="Settings has no section Bell: add one"):
        Bicycle().section(Bell)


def test_settings_made_in_code_are_checked_like_loaded_ones() -> None:
    check(Bicycle())
    with pytest.raises(SettingsError) as limits:
        check(Bicycle(engine=Engine(power=10), wheel=Wheel(size=0)))
    with pytest.raises(SettingsError) as contradiction:
        check(Bicycle(engine=Engine(power=1, mode="fast"), wheel=Wheel(size=101)))

    assert len(limits.value.problems) == 2
    assert contradiction.value.problems == (
        "ENGINE__POWER is too little for ENGINE__MODE fast: raise it to 2",
        "WHEEL__SIZE is too large for ENGINE__MODE fast: choose slow",
    )


def test_secret_values_are_secrets_their_parts_and_passwords_within_urls() -> None:
    settings = Bicycle(
        engine=Engine(secret="new:first-key,old:second-key", url="redis://me:pass%40word@host/0")
    )

    assert {"first-key", "second-key", "pass%40word", "pass@word"} <= secret_values(settings)
    assert "host" not in secret_values(settings)


def test_the_base_has_the_data_folder_only() -> None:
    assert msgspec.structs.asdict(SettingsCore()) == {"data_dir": Path(".starling")}
