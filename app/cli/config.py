"""`starling config show|check`: what the settings are, where they come from, and what is wrong with them."""

import argparse
import os
from typing import Any

from app.cli.output import print_json, print_table
from app.core.errors import SettingsError
from app.core.settings import ENV_FILE, Loaded, catalog, read
from app.core.settings.values import shown_value
from app.project_setup import Settings


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the action, `show` unless another is given, and the format."""
    parser.add_argument(
        "action",
        nargs="?",
        choices=("show", "check"),
        default="show",
        help="show (default): every setting, where it comes from, secrets hidden; check: are they right?",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Show or check; 1 when the settings are wrong."""
    if arguments.action == "check":
        return _check(as_json=arguments.json)
    _show(_read(), as_json=arguments.json)
    return 0


def _read() -> Loaded[Settings]:
    return read(Settings, os.environ, env_file=ENV_FILE)


def _check(*, as_json: bool) -> int:
    problems: tuple[str, ...] = ()
    try:
        _read()
    except SettingsError as error:
        if not as_json:
            raise
        problems = error.problems
    if as_json:
        print_json({"is_valid": not problems, "problems": problems})
    else:
        print("the settings are right")
    return 1 if problems else 0


def _show(loaded: Loaded[Settings], *, as_json: bool) -> None:
    rows = [
        {
            "name": setting.name,
            "value": shown_value(setting, setting.value_in(loaded.settings)),
            "origin": loaded.origins[setting.name],
            "help": setting.help,
        }
        for setting in catalog(Settings)
    ]
    if as_json:
        print_json({"data": rows})
    else:
        print_table([(row["name"], _as_text(row["value"]), row["origin"]) for row in rows])


def _as_text(value: Any) -> str:
    if value is None:
        return "(unset)"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(value) or "(empty)"
    return str(value)
