"""Migration files: what they are called, what is in them, and whether they are the ones that were applied.
Pure.

`NNNN_what.sql` holds statements that end with a semicolon at the end of a line. A file runs in one
transaction, unless a line `-- outside transaction` stands in it: then its statements run one by one, which
CREATE INDEX CONCURRENTLY needs, and a run that was interrupted goes on after the last one that was done.
Files only go forward. What was applied never changes; what failed may be mended and applied again."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from orm.errors import Problem
from orm.schema.changes import Change, Difference

FOLDER: Final = Path("sql/migrations")
"""Where the files are, seen from the folder of the project."""

_FILE: Final = re.compile(r"(?P<number>\d{4})_(?P<name>[a-z0-9_]+)\.sql")
_OUTSIDE: Final = "-- outside transaction"


class MigrationError(Problem):
    """Migrations cannot be applied as they are; the sentence names the file and the remedy."""

    code = "conflict"


@dataclass(frozen=True, slots=True)
class Migration:
    """One file, read. `checksum` is over its text as it stands."""

    number: int
    name: str
    statements: tuple[str, ...]
    checksum: str
    outside_transaction: bool

    @property
    def file(self) -> str:
        """The name of the file."""
        return f"{self.number:04}_{self.name}.sql"

    def checksum_of(self, steps: int) -> str:
        """The checksum of the first `steps` statements."""
        return _checksum("\n".join(self.statements[:steps]))


@dataclass(frozen=True, slots=True)
class Applied:
    """What a database remembers of a migration. `steps` counts the statements that are done."""

    number: int
    name: str
    checksum: str
    steps: int
    is_finished: bool

    @property
    def is_begun(self) -> bool:
        """Whether anything of it is done."""
        return self.is_finished or self.steps > 0


def read_folder(folder: Path) -> list[Migration]:
    """The migrations in `folder`, by number. Raises MigrationError for a file that breaks the form, or a
    number twice."""
    migrations: dict[int, Migration] = {}
    for path in sorted(folder.glob("*.sql")) if folder.is_dir() else []:
        match = _FILE.fullmatch(path.name)
        if match is None:
            raise MigrationError(f"{path.name} is not called like a migration: write NNNN_what.sql")
        migration = parse(int(match["number"]), match["name"], path.read_text(encoding="utf-8"))
        if migration.number in migrations:
            raise MigrationError(
                f"{path.name} and {migrations[migration.number].file} have one number: rename one"
            )
        migrations[migration.number] = migration
    return list(migrations.values())


def parse(number: int, name: str, text: str) -> Migration:
    """The migration in a file's text. Raises MigrationError when there is no statement in it."""
    lines = text.splitlines()
    statements = tuple(_statements(lines))
    if not statements:
        raise MigrationError(f"{number:04}_{name}.sql has no statement; end each with a semicolon")
    return Migration(
        number,
        name,
        statements,
        _checksum(text),
        any(line.strip() == _OUTSIDE for line in lines),
    )


def pending(migrations: Sequence[Migration], applied: Mapping[int, Applied]) -> list[Migration]:
    """The migrations that are still to be applied, the unfinished one among them.

    Raises MigrationError where files and database have gone apart: what was applied of a file changed, the
    file is gone, or one would have to be applied behind a newer one."""
    known = {migration.number: migration for migration in migrations}
    for number, done in applied.items():
        if not done.is_begun:
            continue
        migration = known.get(number)
        if migration is None:
            raise MigrationError(
                f"{number:04}_{done.name}.sql was applied to this database and is gone: bring it back"
            )
        if not done.is_finished and done.checksum != migration.checksum_of(done.steps):
            raise MigrationError(
                f"{migration.file} changed in what is done of it, its first {done.steps} statements: "
                "put them back as they were; what comes behind them may change"
            )
        if done.is_finished and done.checksum != migration.checksum:
            raise MigrationError(
                f"{migration.file} changed after it was applied: put it back as it was, and write a new one"
            )
    newest = max((number for number, done in applied.items() if done.is_finished), default=0)
    waiting = [m for m in migrations if m.number not in applied or not applied[m.number].is_finished]
    for migration in waiting:
        if migration.number < newest:
            raise MigrationError(
                f"{migration.file} comes before {newest:04}, which was applied: give it a higher number"
            )
    return waiting


def write_plan(difference: Difference, number: int) -> dict[str, str]:
    """File names and texts of the migrations that make a difference up, the first numbered `number`. None
    where the next start does so by itself.

    What runs in a transaction comes first, what builds indexes beside running work is a file of its own.
    Before both stands what a start adds by itself, because the changes may name it; whether a start has done
    so in the meantime or not, the plan works."""
    if not difference.changes:
        return {}
    files: dict[str, str] = {}
    changes = [*difference.changes]
    if difference.safe:
        changes.insert(0, Change(_BY_ITSELF, tuple(map(_again, difference.safe))))
    for what, outside in (("columns", False), ("indexes", True)):
        part = [change for change in changes if change.outside_transaction is outside]
        if part:
            files[f"{number + len(files):04}_{what}.sql"] = _text(part, outside=outside)
    return files


_BY_ITSELF: Final = "A start adds this by itself; the rest of the plan may name it"

_ONCE: Final = (
    (re.compile(r'CREATE TABLE (?=")'), "CREATE TABLE IF NOT EXISTS "),
    (re.compile(r'CREATE (UNIQUE )?INDEX (?=")'), r"CREATE \1INDEX IF NOT EXISTS "),
    (re.compile(r'(ALTER TABLE "\w+") ADD COLUMN (?=")'), r"\1 ADD COLUMN IF NOT EXISTS "),
    (
        re.compile(r'(ALTER TABLE "\w+") ADD CONSTRAINT ("\w+")'),
        r"\1 DROP CONSTRAINT IF EXISTS \2, ADD CONSTRAINT \2",
    ),
)
"""The beginnings of our own definitions (ddl.py), and what makes them run a second time as well."""


def _again(statement: str) -> str:
    for beginning, instead in _ONCE:
        if beginning.match(statement):
            return beginning.sub(instead, statement, count=1)
    raise ValueError(f"no definition that can be repeated: {statement}")


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _text(changes: Iterable[Change], *, outside: bool) -> str:
    lines = [_OUTSIDE, ""] if outside else []
    for change in changes:
        lines.append(f"-- {' '.join(change.sentence.split())}.")
        lines += [text if text.startswith("--") else f"{text};" for text in change.statements]
        lines.append("")
    return "\n".join(lines)


def _statements(lines: Iterable[str]) -> Iterable[str]:
    """The statements, each from its first line that is neither blank nor a comment to the line that ends
    with a semicolon."""
    held: list[str] = []
    for line in lines:
        if not held and (not line.strip() or line.lstrip().startswith("--")):
            continue
        held.append(line)
        if line.rstrip().endswith(";"):
            yield "\n".join(held).strip().rstrip(";")
            held = []
    if held:
        raise MigrationError(
            f"the statement that begins with {held[0].strip()!r} does not end with a semicolon"
        )
