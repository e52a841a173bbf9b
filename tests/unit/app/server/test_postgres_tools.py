"""How pg_dump and pg_restore are told of a database, and which one is taken."""

from pathlib import Path

import pytest

from app.core.errors import StartError
from app.server import postgres_tools
from app.server.postgres_tools import Tool, choose_tool, target_of, tool_environment


def test_a_password_is_no_argument() -> None:
    target = target_of("postgresql://ada:s%40crt@db.example:5432/app?sslmode=require")
    assert target.dbname == "postgresql://ada@db.example:5432/app?sslmode=require"
    assert target.environment == {"PGPASSWORD": "s@crt"}
    target = target_of("postgresql://ada@db.example/app?password=secret")
    assert target.dbname == "postgresql://ada@db.example/app"
    assert target.environment == {"PGPASSWORD": "secret"}


def test_settings_of_the_session_travel_as_options() -> None:
    target = target_of("postgresql://ada@/app?host=/run/pg&search_path=my%20schema")
    assert target.dbname == "postgresql://ada@/app?host=%2Frun%2Fpg"
    assert target.environment == {"PGOPTIONS": "-c search_path=my\\ schema"}


def test_several_hosts_stay_several() -> None:
    assert target_of("postgresql://ada@one:1,two:2/app").dbname == "postgresql://ada@one:1,two:2/app"


def test_nothing_of_our_environment_points_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "elsewhere")
    monkeypatch.setenv("LANG", "C")
    environment = tool_environment(target_of("postgresql://ada:secret@here/app"))
    assert "PGHOST" not in environment
    assert (environment["LANG"], environment["PGPASSWORD"]) == ("C", "secret")


def test_the_same_version_is_taken_or_else_the_next_newer_one(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = [Tool(Path(f"/{major}/pg_dump"), major) for major in (18, 14, 16)]
    monkeypatch.setattr(postgres_tools, "_installed", lambda name: iter(installed))
    assert [choose_tool("pg_dump", server).major for server in (14, 15, 16, 17, 18)] == [14, 16, 16, 18, 18]
    with pytest.raises(StartError, match="no pg_dump of PostgreSQL 19 or newer was found"):
        choose_tool("pg_dump", 19)
