"""A database that has what its models declare, whatever words the server has for it."""

import asyncio
import datetime as dt
import decimal
import random
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from app.cli import main
from app.core.environment import Environment
from app.project_setup import Apps, Models, Settings
from orm import (
    BigInteger,
    Binary,
    Boolean,
    Char,
    Database,
    Date,
    Datetime,
    Decimal,
    DotModel,
    Float,
    Integer,
    JSONField,
    Registry,
    Selection,
    SmallInteger,
    Text,
    Time,
    Uuid,
    utc_now,
)
from orm.schema import expressions
from orm.schema.apply import SchemaMismatch, bring_up, read_difference
from orm.schema.difference import Difference
from orm.schema.expressions import IN_USE, NO_TEMPORARY
from tests.integration.orm.things import restore, thing, with_expression
from tests.support import ledger, library, models, museum, typing_sample

AT_NOON = dt.datetime(2024, 2, 29, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "declared",
    [
        models.SHOP,
        library.LIBRARY,
        museum.MUSEUM,
        ledger.LEDGER,
        {"user": typing_sample.User, "tag": typing_sample.Tag, "message": typing_sample.Message},
    ],
    ids=["shop", "library", "museum", "ledger", "sample"],
)
async def test_a_database_that_was_just_made_has_no_differences(
    db: Database, declared: Mapping[str, type[DotModel]]
) -> None:
    registry = Registry.compose(declared)
    await bring_up(db, registry)
    assert await read_difference(db, registry) == Difference()
    await restore(db)
    assert await read_difference(db, registry) == Difference()


async def test_the_project_has_no_differences_on_a_database_that_was_just_made(
    db: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE__URL", database_url)
    env = Environment(Settings.load(), Models, Apps)
    await env.setup_services()
    await bring_up(db, env.registry)
    assert await read_difference(db, env.registry) == Difference()
    await restore(db)
    assert (await read_difference(db, env.registry)).changes == []


DEFAULTS: Mapping[str, Any] = {
    "zero": lambda: Integer(default=0),
    "negative": lambda: Integer(default=-5),
    "small": lambda: SmallInteger(default=-32768),
    "big": lambda: BigInteger(default=2**62),
    "whole": lambda: Float(default=1.0),
    "tiny": lambda: Float(default=1e-300),
    "amount": lambda: Decimal(10, 2, default=decimal.Decimal("-0.50")),
    "yes": lambda: Boolean(default=True),
    "empty": lambda: Char(default=""),
    "quoted": lambda: Char(max_length=40, default="it's \\ 'so'; -- %s {x}"),
    "cast": lambda: Text(default="'1'::integer)"),
    "lines": lambda: Text(default="a\nb"),
    "cyrillic": lambda: Text(default="Ж😀"),
    "option": lambda: Selection(options=["a", "b"], default="a"),
    "bytes": lambda: Binary(default=b"\x00'\\"),
    "day": lambda: Date(default=dt.date(2024, 2, 29)),
    "hour": lambda: Time(default=dt.time(12, 30, 0, 1)),
    "moment": lambda: Datetime(default=AT_NOON),
    "called": lambda: Datetime(default=utc_now),
    "none": lambda: Integer(default=None),
    "token": lambda: Uuid(default=uuid.UUID(int=7)),
    "data": lambda: JSONField(default={"a": [1, None, "'"]}),
}

EXPRESSIONS: Sequence[tuple[str, Any]] = [
    ("size * 3", Integer()),
    ("  size*3  -- three times\n", Integer()),
    ("things.size * 3", BigInteger()),
    ("size", Decimal(14, 2)),
    ("size::numeric / 7", Decimal(14, 2)),
    ("name || '-' || size", Text()),
    ("lower(name)", Char()),
    ("name IN ('a', 'b')", Boolean()),
    ("name NOT IN ('a', 'b') OR size IN (1, 2)", Boolean()),
    ("size BETWEEN 1 AND 5 AND NOT (name LIKE 'a%' AND name !~ '^b')", Boolean()),
    ("CASE name WHEN 'a' THEN 1 WHEN 'b' THEN 2 ELSE coalesce(size, 0) END", Integer()),
    ("nullif(btrim(name), '')", Text()),
    ("data ->> 'a'", Text()),
    ("(data #> '{a,b}')::text", Text()),
    ("data @> '{\"a\": \"it''s\"}'", Boolean()),
    ("moment AT TIME ZONE 'UTC' > '2024-01-01'", Boolean()),
    ("extract(year FROM moment AT TIME ZONE 'UTC')", Integer()),
    ("greatest(size, 1, -1)", Integer()),
    ("name COLLATE \"C\" < 'm'", Boolean()),
    ("(size IS NULL) IS NOT DISTINCT FROM (name IS NULL)", Boolean()),
    ("md5(name)::uuid", Uuid()),
    ("name = ANY ('{a,b}')", Boolean()),
    ("substring(name FROM 1 FOR 2)", Text()),
    ("position('a' IN name)", Integer()),
]


async def test_no_words_of_the_server_for_a_default_are_taken_for_another_default(db: Database) -> None:
    registry = thing(**{name: make() for name, make in DEFAULTS.items()})
    await bring_up(db, registry)
    assert await read_difference(db, registry) == Difference()
    await restore(db)
    assert await read_difference(db, registry) == Difference()


async def test_no_text_whatever_is_in_it_is_taken_for_another_default(db: Database) -> None:
    rng = random.Random(7)
    parts = ["'", "\\", ";", "::text", "(", ")", "\n", '"', "E", "$1", "%s", "{", "Ж", "0", "NULL", "--", " "]
    given = ["".join(rng.choices(parts, k=rng.randrange(8))) for _ in range(300)]
    registry = thing(**{f"text{place}": Text(default=text) for place, text in enumerate(given)})
    await bring_up(db, registry)
    assert await read_difference(db, registry) == Difference()
    other = thing(**{f"text{place}": Text(default=text + "x") for place, text in enumerate(given)})
    assert len((await read_difference(db, other)).changes) == 300


@pytest.mark.parametrize(("sql", "of"), EXPRESSIONS, ids=[sql for sql, _ in EXPRESSIONS])
async def test_no_words_of_the_server_for_an_expression_are_taken_for_another_one(
    db: Database, sql: str, of: Any
) -> None:
    try:
        await bring_up(db, with_expression(sql, of))
    except SchemaMismatch as refusal:
        pytest.fail(str(refusal))
    assert await read_difference(db, with_expression(sql, of)) == Difference()
    await restore(db)
    assert await read_difference(db, with_expression(sql, of)) == Difference()


async def test_every_two_expressions_are_told_apart(db: Database) -> None:
    """Each against the one before it."""
    await bring_up(db, with_expression("size + 1", Integer()))
    for sql in ("size + 2", "size - 2", "2 - size", "size * 2", "size * 2::bigint", "abs(size) * 2", "nope"):
        difference = await read_difference(db, with_expression(sql, Integer()))
        [change] = difference.changes
        assert change.sentence.endswith(f"Thing.made as {sql}: changing it rewrites every row")
        if sql != "nope":
            await db.execute(
                "ALTER TABLE things DROP COLUMN made,"
                f" ADD COLUMN made integer GENERATED ALWAYS AS ({sql}) STORED"
            )
            assert await read_difference(db, with_expression(sql, Integer())) == Difference()


async def test_asking_leaves_nothing_behind(db: Database) -> None:
    registry = with_expression("size * 3", Integer(), count=Integer(default=1))
    await bring_up(db, registry)
    await read_difference(db, registry)
    assert await db.fetchval("SELECT count(*) FROM pg_class WHERE relpersistence = 't'") == 0
    await db.execute("INSERT INTO things (size) VALUES (2)")
    assert await db.fetchval("SELECT made FROM things") == 6


async def test_where_no_temporary_table_can_be_made_nothing_is_compared_and_that_is_said(
    db: Database, database_url: str
) -> None:
    await bring_up(db, with_expression("size * 3", Integer()))
    changed = with_expression("size * 4", Integer())
    async with db.transaction(readonly=True):
        difference = await read_difference(db, changed)
    assert (difference.changes, difference.notes) == ([], [NO_TEMPORARY])


async def test_a_table_that_somebody_has_for_himself_is_compared_by_a_later_start(
    db: Database, connection: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(expressions, "LOCK_TIMEOUT", "10ms")
    await bring_up(db, with_expression("size * 3", Integer()))
    changed = with_expression("size * 4", Integer())
    async with connection.transaction():
        await connection.execute("LOCK TABLE things IN ACCESS EXCLUSIVE MODE")
        assert (await read_difference(db, changed)).notes == [IN_USE]
        await bring_up(db, changed)
    assert "things.made is computed as" not in caplog.text
    await bring_up(db, changed)
    assert "things.made is computed as" in caplog.text


async def test_a_note_is_no_reason_for_a_deployment_to_stop(
    db: Database, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE__URL", database_url)
    env = Environment(Settings.load(), Models, Apps)
    await env.setup_services()
    await bring_up(db, env.registry)
    await db.execute("CREATE INDEX ON partners (phone)")
    assert await asyncio.to_thread(main, ["migrate", "status"]) == 0
    assert "note  partners has an index partners_phone_idx that Partner does not" in capsys.readouterr().out
    await db.execute("ALTER TABLE partners ALTER active SET DEFAULT false")
    assert await asyncio.to_thread(main, ["migrate", "status"]) == 1
    assert "partners.active has the default false, Partner.active true" in capsys.readouterr().out
