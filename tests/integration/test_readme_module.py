"""The README's module is written to a folder, installed as it says, and used as its reader would."""

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.models import ModelsCore
from app.core.service import AppsCore
from app.project_setup import Apps, Models
from tests.support.application import running_application

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")

FILES = re.compile(
    r"`services/notes/(?P<path>[a-z_/]+\.py)`[^\n]*(?:\n[^\n`]+)*:\n\n```python\n(?P<code>.*?)```", re.DOTALL
)


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The package of the README's module, under a name that no other test imports."""
    package = tmp_path / "readme_modules" / "notes"
    found = {match["path"]: match["code"] for match in FILES.finditer(README)}
    assert set(found) == {"app.py", "models/note.py", "routers/notes.py"}
    assert sum(len(code.strip().splitlines()) for code in found.values()) < 40
    for path, code in found.items():
        file = package / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(code.replace("services.notes", "readme_modules.notes"))
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "readme_modules.notes"
    for name in [name for name in sys.modules if name.startswith("readme_modules")]:
        del sys.modules[name]


async def test_the_module_of_the_readme_works(database_url: str, notes: str) -> None:
    model = importlib.import_module(f"{notes}.models.note").Note
    models = type("WithNotes", (Models,), {"note": model})
    apps = type("WithNotesApps", (Apps,), {"installed": (*Apps.installed, notes)})
    assert issubclass(models, ModelsCore)
    assert issubclass(apps, AppsCore)
    async with running_application(database_url, models=models, apps=apps) as running:
        admin = await running.as_admin()
        me = (await admin.get("/me")).json()["id"]
        made = await admin.post("/api/notes", json={"title": "Milk", "author_id": me})
        assert made.status_code == 201
        assert made.json()["title"] == "Milk"
        mine = await admin.get("/notes/mine")
        assert [note["title"] for note in mine.json()["data"]] == ["Milk"]
        stranger = await running.as_user("stranger")
        assert (await stranger.get("/notes/mine")).json() == {"data": []}
        assert (await stranger.get("/api/notes")).status_code == 403
        assert (await (await running.client()).get("/notes/mine")).status_code == 401
