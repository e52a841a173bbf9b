"""Migration files: their form, what is pending, and what has gone apart from the database."""

from pathlib import Path

import pytest

from orm.schema.difference import Change, Difference
from orm.schema.migrations import Applied, Migration, MigrationError, parse, pending, read_folder, write_plan


def migration(number: int, text: str = "SELECT 1;") -> Migration:
    return parse(number, "step", text)


def done(one: Migration) -> Applied:
    return Applied(one.number, one.name, one.checksum, len(one.statements), True)


def begun(one: Migration, steps: int) -> Applied:
    return Applied(one.number, one.name, one.checksum_of(steps), steps, False)


def test_a_file_is_cut_at_semicolons_that_end_a_line() -> None:
    parsed = parse(1, "x", "-- why\n\nCREATE TABLE a (b text DEFAULT ';'\n);\n-- then\nSELECT ';' ;\n")
    assert parsed.statements == ("CREATE TABLE a (b text DEFAULT ';'\n)", "SELECT ';' ")
    assert not parsed.outside_transaction
    assert parse(1, "x", "-- outside transaction\nSELECT 1;").outside_transaction


@pytest.mark.parametrize("text", ["", "-- nothing\n", "SELECT 1"])
def test_a_file_without_a_finished_statement_is_refused(text: str) -> None:
    with pytest.raises(MigrationError, match="semicolon"):
        parse(1, "x", text)


def test_a_folder_is_read_by_number(tmp_path: Path) -> None:
    (tmp_path / "0002_b.sql").write_text("SELECT 2;")
    (tmp_path / "0001_a.sql").write_text("SELECT 1;")
    assert [one.file for one in read_folder(tmp_path)] == ["0001_a.sql", "0002_b.sql"]
    assert read_folder(tmp_path / "missing") == []


@pytest.mark.parametrize("name", ["1_a.sql", "0001-a.sql", "0001_A.sql"])
def test_a_file_with_another_kind_of_name_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("SELECT 1;")
    with pytest.raises(MigrationError, match="not called like a migration"):
        read_folder(tmp_path)


def test_a_number_twice_is_refused(tmp_path: Path) -> None:
    for name in ("0001_a.sql", "0001_b.sql"):
        (tmp_path / name).write_text("SELECT 1;")
    with pytest.raises(MigrationError, match="have one number"):
        read_folder(tmp_path)


def test_what_was_not_finished_is_pending_again() -> None:
    one, two, three = migration(1), migration(2), migration(3)
    assert pending([one, two, three], {1: done(one), 2: begun(two, 1)}) == [two, three]


def test_what_failed_may_be_mended_but_for_what_is_done_of_it() -> None:
    first = migration(1, "SELECT 1;\nSELECT 1/0;")
    mended = migration(1, "-- why\nSELECT 1;\nSELECT 2;\nSELECT 3;")
    assert pending([mended], {1: begun(first, 1)}) == [mended]
    other = migration(1, "SELECT 5;")
    assert pending([other], {1: begun(first, 0)}) == [other]
    assert pending([], {1: begun(first, 0)}) == []
    with pytest.raises(MigrationError, match=r"0001_step\.sql changed in what is done of it"):
        pending([other], {1: begun(first, 1)})


def test_files_and_database_that_have_gone_apart_are_refused() -> None:
    one, two = migration(1), migration(2)
    with pytest.raises(MigrationError, match=r"0001_step\.sql changed after it was applied"):
        pending([migration(1, "SELECT 2;")], {1: done(one)})
    with pytest.raises(MigrationError, match=r"0001_step\.sql was applied to this database and is gone"):
        pending([], {1: done(one)})
    with pytest.raises(MigrationError, match="give it a higher number"):
        pending([one, two], {2: done(two)})


def test_a_plan_puts_what_needs_no_transaction_into_a_file_of_its_own() -> None:
    changes = [
        Change("a is text", ("ALTER a",)),
        Change("b has no index", ("CREATE INDEX CONCURRENTLY b",), is_needed=False, outside_transaction=True),
        Change("c is missing", ("ADD c", "-- fill it", "SET c")),
    ]
    files = write_plan(Difference(changes=changes), 7)
    assert list(files) == ["0007_columns.sql", "0008_indexes.sql"]
    assert parse(7, "columns", files["0007_columns.sql"]).statements == ("ALTER a", "ADD c", "SET c")
    indexes = parse(8, "indexes", files["0008_indexes.sql"])
    assert indexes.outside_transaction
    assert indexes.statements == ("CREATE INDEX CONCURRENTLY b",)
    assert write_plan(Difference(), 1) == {}


def test_a_plan_begins_with_what_a_start_would_add_in_words_that_work_also_after_it() -> None:
    safe = [
        'CREATE TABLE "a" ("id" bigint)',
        'CREATE UNIQUE INDEX "a_idx" ON "a" ("id")',
        'ALTER TABLE "b" ADD COLUMN "slug" text',
        'ALTER TABLE "b" ADD CONSTRAINT "b_a_fkey" FOREIGN KEY ("a") REFERENCES "a" ("id")',
    ]
    assert write_plan(Difference(safe=safe), 1) == {}  # the next start does all there is to do
    unique = Change("b has no unique", ("CREATE UNIQUE INDEX CONCURRENTLY u",), outside_transaction=True)
    files = write_plan(Difference(safe=safe, changes=[unique]), 1)
    assert list(files) == ["0001_columns.sql", "0002_indexes.sql"]
    assert parse(1, "columns", files["0001_columns.sql"]).statements == (
        'CREATE TABLE IF NOT EXISTS "a" ("id" bigint)',
        'CREATE UNIQUE INDEX IF NOT EXISTS "a_idx" ON "a" ("id")',
        'ALTER TABLE "b" ADD COLUMN IF NOT EXISTS "slug" text',
        (
            'ALTER TABLE "b" DROP CONSTRAINT IF EXISTS "b_a_fkey", '
            'ADD CONSTRAINT "b_a_fkey" FOREIGN KEY ("a") REFERENCES "a" ("id")'
        ),
    )
