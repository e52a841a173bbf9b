import asyncio
import io
import logging
import stat
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from app.core.errors import StartError
from app.core.private_files import folder_mode
from services.auth_token.settings import AuthSettings
from services.users.actions import create_user, update_user
from services.users.models import User
from tests.support.application import PASSWORD, SECRET, RunningApplication, running_application
from tests.support.identity import IdentityApps, IdentityModels

PARTS: dict[str, Any] = {"models": IdentityModels, "apps": IdentityApps}
RANDOM = AuthSettings(secret=SECRET)
GIVEN = AuthSettings(secret=SECRET, admin_login=" Root ", admin_password=PASSWORD)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def files_in(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]


async def administrators(running: RunningApplication) -> list[str]:
    with running.env.system():
        return [user.login for user in await User.search([("is_admin", "=", True)], ["login"])]


async def test_without_a_terminal_a_random_password_goes_into_a_file_for_its_owner_only(
    database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        async with running_application(
            database_url, auth=RANDOM, data_dir=tmp_path / "data", **PARTS
        ) as running:
            file = tmp_path / "data" / "admin-password"
            password = file.read_text().removesuffix("\n")

            assert len(password) >= 20
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            assert stat.S_IMODE(file.parent.stat().st_mode) == folder_mode()
            assert (await running.sign_in("admin", password))["user"]["is_admin"]
    assert str(file) in caplog.text
    assert password not in caplog.text


async def test_a_terminal_is_told_login_and_password_once_and_no_file_is_made(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    async with running_application(database_url, auth=RANDOM, data_dir=tmp_path, **PARTS) as running:
        shown = terminal.getvalue()
        password = shown.split()[-1]
        await running.sign_in("admin", password)
    async with running_application(database_url, auth=RANDOM, data_dir=tmp_path, **PARTS):
        pass

    assert shown.split() == ["First", "administrator", "login", "admin", "password", password]
    assert terminal.getvalue() == shown
    assert not (tmp_path / "admin-password").exists()


async def test_a_password_from_the_settings_is_taken_and_written_nowhere(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    with caplog.at_level(logging.DEBUG):
        async with running_application(database_url, auth=GIVEN, data_dir=tmp_path, **PARTS) as running:
            await running.sign_in("root")

    assert terminal.getvalue() == ""
    assert files_in(tmp_path) == []
    assert PASSWORD not in caplog.text


async def test_processes_that_start_at_the_same_time_make_one_administrator(
    database_url: str, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        first, *_ = await asyncio.gather(
            *(
                stack.enter_async_context(
                    running_application(database_url, auth=RANDOM, data_dir=tmp_path, **PARTS)
                )
                for _ in range(4)
            )
        )

        assert await administrators(first) == ["admin"]
        await first.sign_in("admin", (tmp_path / "admin-password").read_text().strip())


async def test_a_later_start_makes_nobody_and_writes_nothing(database_url: str, tmp_path: Path) -> None:
    async with running_application(database_url, auth=GIVEN, data_dir=tmp_path, **PARTS):
        pass

    async with running_application(database_url, auth=RANDOM, data_dir=tmp_path, **PARTS) as running:
        assert await administrators(running) == ["root"]

    assert files_in(tmp_path) == []


async def test_a_disabled_administrator_is_not_replaced_at_the_next_start(
    database_url: str, tmp_path: Path
) -> None:
    async with running_application(database_url, auth=GIVEN, data_dir=tmp_path, **PARTS) as running:
        await running.env.db.fetch("UPDATE users SET active = false")

    async with running_application(database_url, auth=RANDOM, data_dir=tmp_path, **PARTS) as running:
        assert await administrators(running) == ["root"]


async def test_the_file_of_a_start_that_failed_is_replaced(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "admin-password").write_text("of a start that failed\n")

    async with running_application(database_url, auth=RANDOM, data_dir=tmp_path, **PARTS) as running:
        await running.sign_in("admin", (tmp_path / "admin-password").read_text().strip())


async def test_a_login_that_belongs_to_somebody_else_stops_the_start_with_the_remedy(
    database_url: str, tmp_path: Path
) -> None:
    async with running_application(database_url, auth=GIVEN, data_dir=tmp_path, **PARTS) as running:
        with running.env.system():
            await create_user(login="ada", password=PASSWORD)
            await create_user(login="bob", password=PASSWORD, is_admin=True)
            await update_user(1, is_admin=False)
        await running.env.db.fetch("UPDATE users SET is_admin = false")

    with pytest.raises(StartError, match="set it to another one"):
        async with running_application(
            database_url, auth=AuthSettings(secret=SECRET, admin_login="Ada"), data_dir=tmp_path, **PARTS
        ):
            pass

    assert not (tmp_path / "admin-password").exists()


@pytest.mark.parametrize(
    "auth",
    [
        AuthSettings(secret=SECRET, admin_password="short"),
        AuthSettings(secret=SECRET, admin_login="  "),
        AuthSettings(secret=SECRET, admin_login="x" * 101),
    ],
)
async def test_a_login_or_password_that_cannot_be_stops_the_start(
    database_url: str, tmp_path: Path, auth: AuthSettings
) -> None:
    with pytest.raises(StartError, match=r"AUTH__ADMIN_(LOGIN or .* cannot be used|PASSWORD has to have)"):
        async with running_application(database_url, auth=auth, data_dir=tmp_path, **PARTS):
            pass

    assert files_in(tmp_path) == []


async def test_a_password_that_is_easily_guessed_is_taken_with_a_warning(
    database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    auth = AuthSettings(secret=SECRET, admin_password="password123")
    async with running_application(database_url, auth=auth, data_dir=tmp_path, **PARTS) as running:
        assert (await running.sign_in("admin", "password123"))["user"]["login"] == "admin"
    assert "AUTH__ADMIN_PASSWORD is easily guessed" in caplog.text


async def test_a_data_dir_that_cannot_be_written_stops_the_start(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StartError, match="set DATA_DIR"):
        async with running_application(database_url, auth=RANDOM, data_dir=tmp_path / "file", **PARTS):
            pass


async def test_keys_that_were_made_survive_a_restart(database_url: str, tmp_path: Path) -> None:
    auth = AuthSettings(admin_password=PASSWORD)
    async with running_application(database_url, auth=auth, data_dir=tmp_path, **PARTS) as running:
        token = (await running.sign_in("admin"))["access_token"]

    async with running_application(database_url, auth=auth, data_dir=tmp_path, **PARTS) as running:
        assert (await (await running.client(token=token)).get("/me")).status_code == 200
