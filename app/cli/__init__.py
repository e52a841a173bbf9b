"""The `starling` command. Each of its commands is a module here, imported only when it was asked for.

A command module has two functions: `configure(parser)` adds its arguments, `run(arguments)` does it and
answers the exit code: 0 well, 1 failed, 2 wrong use. What a person can mend is raised as StartError (or a
Problem) and printed as one message without a stack. A new command is a module here and its line in
`COMMANDS`.
"""

import argparse
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from types import FrameType, MappingProxyType
from typing import Final, Protocol, cast

from app import __version__
from app.core.errors import StartError
from orm.errors import DeclarationError, Problem

COMMANDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "serve": "run the server",
        "config": "show or check the settings",
        "migrate": "show, plan or apply migrations",
        "user": "make, list and disable users, and set their passwords",
        "routes": "list the routes of all modules",
        "explain": "say why a user may, or may not, do something",
        "audit": "verify the audit log",
        "openapi": "print the description of the API",
        "doctor": "look for what is wrong, and say what helps",
        "backup": "write the whole database to a file",
        "restore": "put a backup into an empty database",
    }
)
"""Every command with its line of help, in the order of `starling --help`."""


_ENDED_BY_SIGNALS: Final = frozenset({"serve"})
"""Commands that go on until a signal ends them: that is how they end well."""


class Command(Protocol):
    """What a module of this package offers."""

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Add the command's arguments."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Do it; the exit code."""


def main(argv: Sequence[str] | None = None) -> int:
    """Do what `argv` (the process's own when None) asks for; the exit code."""
    words = sys.argv[1:] if argv is None else list(argv)
    chosen = next((word for word in words if not word.startswith("-")), None)
    if chosen in _ENDED_BY_SIGNALS:
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, _end_well)  # until the command has handlers of its own
    try:
        command = _load(chosen) if chosen in COMMANDS else None
        arguments = _parser(chosen, command).parse_args(words)
        # argparse ends the process for --help and for wrong words: from here on there is a command.
        if command is None:
            return 2
        code = command.run(arguments)
        sys.stdout.flush()  # here, where a broken pipe is still ours to handle
        return code
    except (StartError, DeclarationError, Problem) as error:
        print(f"starling: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("starling: interrupted", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader of our output went away (`starling routes | head`). Python would complain once more
        # when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0


def _end_well(signum: int, frame: FrameType | None) -> None:
    """Told to stop before anything was started: there is nothing to undo."""
    raise SystemExit(0)


def _load(name: str | None) -> Command:
    """The one place that imports late: a command brings the server with it, and `--help` should not
    wait."""
    return cast("Command", import_module(f"app.cli.{name}"))


def _parser(chosen: str | None, command: Command | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="starling", description="A small, fast backend on PostgreSQL.")
    parser.add_argument("--version", action="version", version=f"starling {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, summary in COMMANDS.items():
        subparser = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        if command is not None and name == chosen:
            command.configure(subparser)
    return parser
