"""`starling audit verify`: is the audit log what it was when it was written?"""

import argparse
import asyncio
import re
from typing import Any, Final

from app.cli.output import print_json
from app.project_setup import Settings
from app.server.borrowed import borrowed_database
from orm.database import Database
from services.audit.verify import Note, Verdict, verify

_NOTE: Final = re.compile(r"(?P<position>[1-9][0-9]{0,17}):(?P<hash>[0-9a-fA-F]{64})")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the action, what was noted, and the format."""
    parser.add_argument(
        "action",
        choices=("verify",),
        help="walk the log's chain of hashes; exit 1 at the first entry that was changed, removed, or put "
        "in another place",
    )
    parser.add_argument(
        "--expect",
        metavar="POSITION:HASH",
        type=_note,
        help="what an earlier run said and you noted: shows what was cut off at the end or written anew",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Do it, whether or not `starling serve` runs; 1 when the log is not whole."""
    with borrowed_database(Settings.load()) as url:
        verdict = asyncio.run(_verify(url, arguments.expect))
    if arguments.json:
        print_json(_as_json(verdict))
    else:
        print(_as_text(verdict))
    return 0 if verdict.is_whole else 1


async def _verify(url: str, note: Note | None) -> Verdict:
    db = Database(url, max_size=1, statement_timeout_seconds=0)
    await db.open()
    try:
        return await verify(db, note)
    finally:
        await db.close()


def _note(text: str) -> Note:
    match = _NOTE.fullmatch(text)
    if match is None:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no position and hash: write them as `starling audit verify` does, 17:8a0f..."
        )
    return Note(int(match["position"]), bytes.fromhex(match["hash"]))


def _as_json(verdict: Verdict) -> dict[str, Any]:
    return {
        "is_whole": verdict.is_whole,
        "position": verdict.position,
        "hash": verdict.hash.hex(),
        "waiting": verdict.waiting,
        "trimmed": verdict.trimmed,
        "break": verdict.first_break,
    }


def _as_text(verdict: Verdict) -> str:
    waiting = f"{verdict.waiting} {'waits' if verdict.waiting == 1 else 'wait'} to be chained"
    found = verdict.first_break
    if found is not None:
        return (
            f"the audit log is not whole ({found.kind}): {found.sentence}\n"
            f"{verdict.position} links before it are in order; {waiting}"
        )
    count = verdict.position - verdict.trimmed
    entries = f"{count} {'entry is' if count == 1 else 'entries are'}"
    if verdict.trimmed:
        waiting += f"; entries up to position {verdict.trimmed} were removed for their age"
    if not verdict.position:
        return f"the audit log is whole: no entry is chained yet; {waiting}"
    return (
        f"the audit log is whole: {entries} chained; {waiting}\n"
        f"{verdict.position}:{verdict.hash.hex()}\n"
        "Note this line where the database cannot reach it, and give it to --expect one day."
    )
