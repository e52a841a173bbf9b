"""SQL that is written by hand, each statement with a name and a line that says what it is for.

`sql/<module>/<topic>.sql` holds the statements of one topic:

    -- name: bump_seq
    -- Takes the next sequence number of a chat, under the lock of its row.
    UPDATE chats SET last_seq = last_seq + 1 WHERE id = $1 RETURNING last_seq;

A module reads its file once, `_SQL = statements("chat/events")`, and sends `_SQL["bump_seq"]`. Values travel
as parameters only. `migrations/` holds numbered files that are run by `starling migrate`, not by name.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

_TOPIC = re.compile(r"[a-z0-9_]+(?:/[a-z0-9_]+)+")
_NAME = re.compile(r"--\s*name:\s*(?P<name>.*?)\s*")
_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]*")


class StatementFileError(Exception):
    """A file of named statements is not there or breaks the form; the text says where and what to do."""


@cache
def statements(topic: str) -> Mapping[str, str]:
    """The statements of `sql/<topic>.sql` by name, in order of the file, each without its comments on top.

    `topic` is "<module>/<topic>". Raises StatementFileError for a file that is missing or breaks the form: a
    statement without name, purpose or text, a name twice, something before the first name.
    """
    if not _TOPIC.fullmatch(topic):
        raise StatementFileError(f"{topic!r} is not the name of a statement file: write <module>/<topic>")
    file = files(__name__).joinpath(f"{topic}.sql")
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise StatementFileError(f"there is no sql/{topic}.sql") from error
    return MappingProxyType(parse(text, source=f"sql/{topic}.sql"))


def parse(text: str, *, source: str) -> dict[str, str]:
    """The named statements in a file's text. `source` stands in the messages of StatementFileError."""
    found: dict[str, str] = {}
    for name, line, body in _blocks(text, source):
        where = f"{source}, line {line}"
        if not _IDENTIFIER.fullmatch(name):
            raise StatementFileError(f"{where}: {name!r} is no name: write lower-case letters, digits and _")
        if name in found:
            raise StatementFileError(
                f"{where}: there is a statement {name} already: give this one another name"
            )
        if not body or not body[0].removeprefix("--").strip() or not body[0].startswith("--"):
            raise StatementFileError(
                f"{where}: {name} does not say what it is for: add a line `-- purpose` below its name"
            )
        statement = "\n".join(body[_comment_lines(body) :]).strip().removesuffix(";").rstrip()
        if not statement:
            raise StatementFileError(f"{where}: {name} has no statement")
        found[name] = statement
    return found


def _blocks(text: str, source: str) -> Iterator[tuple[str, int, list[str]]]:
    """Name, line number and following lines of each block that starts with a name."""
    name, start, body = "", 0, list[str]()
    for number, line in enumerate(text.splitlines(), start=1):
        match = _NAME.fullmatch(line)
        if match is not None:
            if start:
                yield name, start, body
            name, start, body = match["name"], number, []
        elif start:
            body.append(line)
        elif line.strip() and not line.startswith("--"):
            raise StatementFileError(
                f"{source}, line {number}: a statement without a name: begin it with `-- name: ...`"
            )
    if start:
        yield name, start, body


def _comment_lines(body: list[str]) -> int:
    return next((index for index, line in enumerate(body) if not line.startswith("--")), len(body))
