"""`starling migrate` on the project as it ships: from a difference to a plan, and through a failure to a
database that fits."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from app.cli import main
from app.core.environment import Environment
from app.project_setup import Apps, Models, Settings
from orm import Database
from orm.schema.apply import bring_up


@pytest.fixture
def project(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the command is run in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE__URL", database_url)
    return tmp_path


async def migrate(*words: str) -> int:
    return await asyncio.to_thread(main, ["migrate", *words])


def test_an_empty_database_needs_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for action in ("status", "plan", "apply"):
        assert main(["migrate", action]) == 0
    assert capsys.readouterr().out.count("the database is empty: the first start makes its tables") == 3
    assert list(project.iterdir()) == []


async def test_a_plan_is_written_once_fails_is_mended_and_applied(
    project: Path, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    env = Environment(Settings.load(), Models, Apps)
    await env.setup_services()
    db = Database(database_url)
    await db.open()
    await bring_up(db, env.registry)
    await db.close()
    connection = await asyncpg.connect(database_url)
    await connection.execute(
        "ALTER TABLE partners DROP COLUMN phone;"
        "ALTER TABLE partner_categories DROP CONSTRAINT partner_categories_name_key;"
        "INSERT INTO partner_categories (name) VALUES ('a'), ('a');"
    )

    assert await migrate() == 1
    assert "the next start adds 1 definitions by itself" in capsys.readouterr().out
    assert await migrate("plan") == 0
    assert await migrate("plan") == 1
    assert "not applied yet: 0001_columns.sql, 0002_indexes.sql" in capsys.readouterr().err

    assert await migrate("apply") == 1
    assert "0002_indexes.sql: could not create unique index" in capsys.readouterr().err
    indexes = project / "sql/migrations/0002_indexes.sql"
    mended = indexes.read_text().replace(
        "CREATE", "UPDATE partner_categories SET name = id::text;\nCREATE", 1
    )
    indexes.write_text(mended)
    assert await migrate("apply") == 0
    assert await migrate() == 0
    assert await migrate("plan") == 0
    assert capsys.readouterr().out.endswith("nothing to plan\n")

    indexes.write_text(mended + "-- afterwards\n")
    assert await migrate("status") == 1
    assert "0002_indexes.sql changed after it was applied" in capsys.readouterr().err
    await connection.close()
