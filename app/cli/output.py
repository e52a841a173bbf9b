"""How commands print data: a table for people, JSON for programs."""

from collections.abc import Sequence
from typing import Any

import msgspec


def print_table(rows: Sequence[Sequence[str]]) -> None:
    """Print rows in columns as wide as their widest cell; the last column is left ragged."""
    if not rows:
        return
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        print("  ".join(cells).rstrip())


def print_json(value: Any) -> None:
    """Print `value` as JSON, indented so that people can read it too."""
    print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())
