"""The wheel, built and installed as a user would: the command runs, and the SQL travels with it."""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from app import __version__
from app.cli import COMMANDS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], cwd=ROOT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a fresh environment that has the wheel, and our dependencies from outside.

    The dependencies come by a path file, which does not follow the path files of the folder that it names:
    an editable Starling in there stays out of sight.
    """
    root = tmp_path_factory.mktemp("installed")
    venv.create(root, with_pip=False, symlinks=True)
    programs = root / "bin"
    pip = [sys.executable, "-m", "pip", "--python", str(programs / "python")]
    run(
        [*pip, "install", "--no-deps", "--no-index", "--disable-pip-version-check", "--quiet", str(wheel)],
        cwd=root,
    )
    paths = sysconfig.get_paths(vars={"base": str(root), "platbase": str(root)})
    (Path(paths["purelib"]) / "dependencies.pth").write_text(f"{sysconfig.get_paths()['purelib']}\n")
    return programs


def run(command: list[str], *, cwd: Path) -> str:
    """What `command` prints. It sees neither this checkout nor the settings of whoever runs the tests."""
    environ = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    done = subprocess.run(command, cwd=cwd, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_holds_the_packages_their_sql_and_their_types_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()

    metadata = f"starling-{__version__}.dist-info"
    assert {name.split("/")[0] for name in names} == {"app", "orm", "services", "sql", metadata}
    assert {f"{package}/py.typed" for package in ("app", "orm", "services", "sql")} <= set(names)
    assert {file.relative_to(ROOT).as_posix() for file in (ROOT / "sql").rglob("*.sql")} <= set(names)
    pages = [file for part in ("app", "services") for file in (ROOT / part).rglob("*.html")]
    assert {file.relative_to(ROOT).as_posix() for file in pages} <= set(names)


def test_the_command_of_an_installed_wheel_runs(installed: Path, tmp_path: Path) -> None:
    shown = run([str(installed / "starling"), "--help"], cwd=tmp_path)

    assert all(name in shown for name in COMMANDS)
    assert run([str(installed / "starling"), "config", "check"], cwd=tmp_path) == "the settings are right\n"


def test_named_statements_are_found_in_an_installed_wheel(installed: Path, tmp_path: Path) -> None:
    file = sorted((ROOT / "sql").glob("*/*.sql"))[0]
    topic = file.relative_to(ROOT / "sql").with_suffix("").as_posix()
    program = f"import sql; print(sql.__file__); print(len(sql.statements({topic!r})))"

    place, count = run([str(installed / "python"), "-c", program], cwd=tmp_path).splitlines()

    assert Path(place).is_relative_to(installed.parent)
    assert int(count) == file.read_text(encoding="utf-8").count("-- name:")
