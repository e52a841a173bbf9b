import logging
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.core.errors import StartError
from app.core.private_files import folder_mode
from services.auth_token.secret import keys_of
from services.auth_token.settings import AuthSettings

UNSET = AuthSettings()


def test_a_secret_in_the_settings_is_taken_and_no_file_is_made(tmp_path: Path) -> None:
    keys = keys_of(AuthSettings(secret="new:" + "n" * 32 + ",old:" + "o" * 32), tmp_path / "data")

    assert [key.kid for key in keys] == ["new", "old"]
    assert not (tmp_path / "data").exists()


def test_without_one_a_key_is_made_once_and_read_ever_after(tmp_path: Path) -> None:
    first = keys_of(UNSET, tmp_path / "data")

    assert keys_of(UNSET, tmp_path / "data") == first
    assert len(first) == 1
    assert len(first[0].secret) >= 32


def test_the_key_and_its_folder_are_closed_to_others(tmp_path: Path) -> None:
    keys_of(UNSET, tmp_path / "data")

    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == folder_mode()
    assert stat.S_IMODE((tmp_path / "data" / "secret").stat().st_mode) == 0o600


def test_workers_that_start_at_the_same_time_get_the_same_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        found = set(threads.map(lambda _: keys_of(UNSET, tmp_path / "data"), range(32)))

    assert len(found) == 1


def test_the_file_may_hold_several_keys(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("2:" + "n" * 32 + ",1:" + "o" * 32 + "\n")
    (tmp_path / "secret").chmod(0o600)

    assert [key.kid for key in keys_of(UNSET, tmp_path)] == ["2", "1"]


@pytest.mark.parametrize("text", ["", "\n", "short", "a:b,c"])
def test_a_file_without_a_usable_key_stops_the_start(tmp_path: Path, text: str) -> None:
    (tmp_path / "secret").write_text(text)

    with pytest.raises(StartError, match="secret holds no usable key"):
        keys_of(UNSET, tmp_path)


def test_a_file_that_is_no_text_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"\xff" * 32)

    with pytest.raises(StartError, match="set AUTH__SECRET"):
        keys_of(UNSET, tmp_path)


def test_a_file_that_others_can_read_is_taken_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "secret").write_text("k" * 32)
    (tmp_path / "secret").chmod(0o640)

    with caplog.at_level(logging.WARNING):
        keys_of(UNSET, tmp_path)

    assert "can be read by others" in caplog.text
    assert "kkk" not in caplog.text
