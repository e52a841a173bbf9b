"""`python -m tests.bench PART`: run one part of the rig, or `all` of them one after the other."""

import argparse
import sys
from collections.abc import Sequence

from tests.bench.footprint.command import add_to as add_footprint
from tests.bench.growth.command import add_to as add_growth
from tests.bench.http.command import add_to as add_http
from tests.bench.orm.command import add_to as add_orm
from tests.bench.realtime.command import add_to as add_realtime

PARTS = {
    "orm": add_orm,
    "http": add_http,
    "realtime": add_realtime,
    "growth": add_growth,
    "footprint": add_footprint,
}


def main(arguments: Sequence[str]) -> int:
    """The exit code: 0, 1 when `--check` found a target missed, 2 when nothing could be measured."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Benchmarks of Starling.")
    parts = parser.add_subparsers(dest="part", required=True, metavar="PART")
    for add in PARTS.values():
        add(parts)
    everything = parts.add_parser(
        "all",
        help="every part with its defaults, one after the other (under 15 minutes)",
        description="Exits with the highest code of a part.",
    )
    everything.add_argument("--check", action="store_true", help="exit with 1 when a target is missed")
    options = parser.parse_args(arguments)
    if options.part != "all":
        return int(options.run(options))
    codes = []
    for name in PARTS:
        print(f"\n=== {name}", flush=True)
        one = parser.parse_args([name, *["--check"] * options.check])
        codes.append(int(one.run(one)))
    return max(codes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
