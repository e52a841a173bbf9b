"""`starling serve`: the server, until it is told to stop."""

import argparse

from app.project_setup import Settings
from app.server.supervisor import serve


def configure(parser: argparse.ArgumentParser) -> None:
    """Point to the settings: `serve` has no arguments of its own, so that there is one place to look for how
    it is run.
    """
    parser.epilog = "Address, port and number of workers are settings: see `starling config show`."


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT; 0 after a clean stop."""
    return serve(Settings.load())
