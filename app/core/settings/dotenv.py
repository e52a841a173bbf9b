"""Reads a `.env` file. The syntax is the common core of the many that exist, and nothing is expanded.

    # a comment                     blank lines and comments are skipped
    NAME=value                      the value ends at the line's end or before " #"; spaces around it go
    export NAME=value               so that a shell can source the file
    NAME='as it stands'             no escapes; a # and spaces are kept
    NAME="with \\n and \\" in it"     escapes: \\n \\r \\t \\" \\\\ \\$

A value is one line. Any other line is a problem with its number, and so is a name that is given twice.
"""

import re
from typing import NamedTuple

_LINE = re.compile(
    r"""
    \s* (?: export \s+ )?
    (?P<name> [A-Za-z_][A-Za-z0-9_]* )
    \s* = \s*
    (?:
        ' (?P<single> [^']* ) '
      | " (?P<double> (?: [^"\\] | \\. )* ) "
      | (?P<bare> (?! ['"] ) .*? )
    )
    (?: \s* (?<= \s ) \# .* | \s* )
    """,
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(.)")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$"}


class DotEnv(NamedTuple):
    """What a file says: values by name, and a sentence for each line that says nothing."""

    values: dict[str, str]
    problems: list[str]


def parse(text: str) -> DotEnv:
    """The values and the problems of a file's text. Values never stand in a problem: they may be secrets."""
    values: dict[str, str] = {}
    problems: list[str] = []
    first_line: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line.rstrip("\r"))
        if match is None:
            problems.append(
                f"line {number} is not NAME=value: check the name and the quotes, or start it with #"
            )
            continue
        name = match["name"]
        if name in first_line:
            problems.append(
                f"line {number} gives {name} again, after line {first_line[name]}: keep one of them"
            )
            continue
        first_line[name] = number
        unknown = [escape for escape in _ESCAPE.findall(match["double"] or "") if escape not in _ESCAPES]
        if unknown:
            problems.append(f"line {number} has an unknown escape \\{unknown[0]}: write a backslash as \\\\")
            continue
        values[name] = _value(match)
    return DotEnv(values, problems)


def _value(match: re.Match[str]) -> str:
    if match["double"] is not None:
        return _ESCAPE.sub(lambda escape: _ESCAPES[escape[1]], match["double"])
    if match["single"] is not None:
        return match["single"]
    return match["bare"]
