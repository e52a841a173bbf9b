"""`python -m tests.bench PART`: run one part of the rig."""

import argparse
import sys
from collections.abc import Sequence

from tests.bench.footprint.command import add_to as add_footprint
from tests.bench.growth.command import add_to as add_growth
from tests.bench.http.command import add_to as add_http
from tests.bench.orm.command import add_to as add_orm
from tests.bench.realtime.command import add_to as add_realtime


def main(arguments: Sequence[str]) -> int:
    """The exit code: 0, 1 when `--check` found a target missed, 2 when nothing could be measured."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Benchmarks of Starling.")
    parts = parser.add_subparsers(dest="part", required=True, metavar="PART")
    add_orm(parts)
    add_http(parts)
    add_growth(parts)
    add_footprint(parts)
    add_realtime(parts)
    options = parser.parse_args(arguments)
    return int(options.run(options))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
