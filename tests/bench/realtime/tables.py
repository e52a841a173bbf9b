"""What a run found as tables, and which targets it missed. Pure."""

from collections.abc import Iterator, Sequence
from typing import Final

from tests.bench.realtime.fanout import MOST_DELAY_MS, Slice, middle
from tests.bench.realtime.outcome import Outcome
from tests.bench.realtime.verdict import Verdict

OURS: Final = "Starling"

# The targets of the project.
MOST_CPU: Final = 0.95
MOST_P99_MS: Final = 50.0
LEAST_PER_SECOND: Final = 140_000.0
MOST_HEARD_P50_MS: Final = 5.0
MOST_HEARD_P99_MS: Final = 15.0
LEAST_POSTED: Final = 2_000.0
MOST_IDLE_MB: Final = 28.0


def shown(outcome: Outcome, sockets: int, rate: float) -> str:
    """Markdown: a table for each part that was measured."""
    return "\n".join(_parts(outcome, sockets, rate))


def _parts(outcome: Outcome, sockets: int, rate: float) -> Iterator[str]:
    if outcome.slices:
        yield f"\nFan-out: {rate:g} messages a second to {sockets:,} sockets on two processes\n"
        yield _table(
            [
                "server",
                "CPU s per 100,000",
                "generator",
                "delivered/s",
                "p50 / p99 ms",
                "lost / doubled / out of order",
                "refused",
                f"most deliveries/s, p99 ≤ {MOST_DELAY_MS:g} ms",
            ],
            [
                [title, *_slice_cells(middle(slices)), _fastest_cell(outcome.fastest.get(title), sockets)]
                for title, slices in outcome.slices.items()
            ],
        )
    if outcome.heard is not None:
        heard = outcome.heard
        yield "\nPosted over HTTP to one worker, heard on a socket of the other, ten a second\n"
        yield _table(
            ["messages", "p50 / p99 ms", "lost / doubled / out of order"],
            [[str(heard.count), f"{heard.p50_ms:.1f} / {heard.p99_ms:.1f}", str(heard.verdict)]],
        )
    if outcome.posted:
        yield "\nPosted over HTTP to one worker, with events, access lists and rules\n"
        rows = [
            [
                one.title,
                f"{one.per_second:,.0f}",
                f"{one.p50_ms:.1f} / {one.p99_ms:.1f}",
                f"{one.cpu_ms:.2f}",
                str(one.refused or "-"),
            ]
            for one in outcome.posted
        ]
        yield _table(["into", "messages/s", "p50 / p99 ms", "CPU ms each", "refused"], rows)
        yield ", ".join(f"{name}: {value}" for name, value in outcome.stored.items())
    if outcome.growth:
        yield "\nMore sockets: memory while nothing is said, then ten messages a second to all of them\n"
        yield _table(
            ["server", "sockets", "MB per 1,000", "CPU ms a message", "p50 / p99 ms"],
            [
                [
                    title,
                    f"{one.sockets:,}",
                    f"{one.mb_per_1000:.1f}",
                    f"{one.cpu_ms:.1f}",
                    f"{one.p50_ms:,.0f} / {one.p99_ms:,.0f}",
                ]
                for title, steps in outcome.growth.items()
                for one in steps
            ],
        )


def _slice_cells(one: Slice) -> list[str]:
    return [
        f"{one.cpu:.2f}",
        f"{one.generator_cpu:.2f}",
        f"{one.delivered_per_second:,.0f}",
        f"{one.p50_ms:,.0f} / {one.p99_ms:,.0f}",
        str(one.verdict),
        str(one.refused),
    ]


def _fastest_cell(one: Slice | None, sockets: int) -> str:
    return "-" if one is None else f"{one.rate * sockets:,.0f}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def missed(outcome: Outcome, sockets: int) -> list[str]:
    """A sentence for every target that Starling did not reach, of the parts that were measured."""
    return [sentence for is_met, sentence in _targets(outcome, sockets) if not is_met]


def _targets(outcome: Outcome, sockets: int) -> Iterator[tuple[bool, str]]:
    if outcome.slices:
        one, best = middle(outcome.slices[OURS]), outcome.fastest.get(OURS)
        most = best.rate * sockets if best is not None else 0.0
        yield one.cpu <= MOST_CPU, f"CPU s per 100,000 deliveries: {one.cpu:.2f}, at most {MOST_CPU}"
        yield one.p99_ms < MOST_P99_MS, f"p99 of a delivery: {one.p99_ms:.0f} ms, under {MOST_P99_MS:g}"
        yield one.verdict == Verdict(), f"lost / doubled / out of order: {one.verdict}, none"
        yield most >= LEAST_PER_SECOND, f"deliveries/s: {most:,.0f}, at least {LEAST_PER_SECOND:,.0f}"
    if outcome.heard is not None:
        heard = outcome.heard
        yield heard.p50_ms <= MOST_HEARD_P50_MS, f"heard: p50 {heard.p50_ms:.1f} ms, {MOST_HEARD_P50_MS:g}"
        yield heard.p99_ms <= MOST_HEARD_P99_MS, f"heard: p99 {heard.p99_ms:.1f} ms, {MOST_HEARD_P99_MS:g}"
        yield heard.verdict == Verdict(), f"heard: lost / doubled / out of order {heard.verdict}, none"
    if outcome.posted:
        first = outcome.posted[0]
        is_enough = first.per_second >= LEAST_POSTED
        yield is_enough, f"{first.title}: {first.per_second:,.0f} messages/s, {LEAST_POSTED:,.0f}"
        for posted in outcome.posted:
            yield not posted.refused, f"{posted.title}: refused {posted.refused}, none"
        for name in ("streams with gaps", "deadlocks"):
            yield outcome.stored[name] == 0, f"{name}: {outcome.stored[name]}, none"
    if outcome.growth:
        for grown in outcome.growth[OURS]:
            weight = grown.mb_per_1000
            yield weight <= MOST_IDLE_MB, f"MB per 1,000 of {grown.sockets:,}: {weight:.1f}, {MOST_IDLE_MB:g}"
