"""The tables of a run, and which targets it missed. Pure."""

from collections.abc import Mapping
from typing import Final

from tests.bench.http.entrants import ADMIN, PEERS, USER
from tests.bench.http.extras import token_microseconds
from tests.bench.http.load import Loaded
from tests.bench.http.shape import CASES
from tests.bench.report import (
    Figures,
    Sample,
    Samples,
    aligned,
    cpu_cell,
    figures_of,
    missed,
    rates_cell,
    table,
)

TARGETS: Final = {
    ADMIN: {"R": 1.7, "S40": 1.0, "S100": 1.0, "U": 1.3, "C": 1.1},
    USER: {"R": 1.5, "S40": 0.95, "S100": 0.95, "U": 1.15, "C": 1.0},
}
"""What Starling is to reach of the hand-written service: requests per second."""

PEER_TARGETS: Final = {"R": 6.0, "S40": 3.5, "S100": 3.5, "U": 6.0, "C": 3.0}
"""What it is to reach, as an administrator, of the fastest of the frameworks."""

ROUND_TRIPS: Final = dict.fromkeys(CASES, 1)
TOKEN_MICROSECONDS: Final = 12.0
SPREAD: Final = 4.0
"""How many times its median the 99th percentile of R may be at half load."""

RoundTrips = Mapping[str, Mapping[str, float]]


def printed(figures: Figures, samples: Samples, trips: RoundTrips, latencies: Mapping[str, Loaded]) -> str:
    """All about the contestants."""
    rows = {f"*target, {title}*": wanted for title, wanted in TARGETS.items()}
    parts = [
        "\nratio to the limit · requests per second (server CPU µs per request)\n",
        table(figures, CASES, rows, cell=rates_cell),
    ]
    parts += ["\nratio of the server's CPU per request (machine busy: rather read this one)\n"]
    parts += [table(figures, CASES, {}, cell=cpu_cell)]
    peers = against_peers(samples)
    if peers:
        parts += ["\nStarling as administrator against the fastest framework\n", _peer_table(peers)]
    parts += ["\nround trips to the database per request; R at half load, milliseconds\n"]
    parts += [_counts(trips, latencies)]
    return "\n".join(parts)


def printed_variants(found: Mapping[str, Sample]) -> str:
    """What was asked of Starling alone."""
    rows = [["Starling, user under a rule", "requests/s", "CPU µs"]]
    rows += [[title, f"{1 / one.wall:,.0f}", f"{one.cpu * 1e6:,.0f}"] for title, one in found.items()]
    told = f"a token costs {token_microseconds(dict(found)):.1f} µs of CPU (target: {TOKEN_MICROSECONDS:g})"
    return f"\n{aligned(rows)}\n\n{told}"


def against_peers(samples: Samples) -> dict[str, tuple[str, float]]:
    """By case the fastest framework, and how many times faster Starling is as an administrator."""
    found: dict[str, tuple[str, float]] = {}
    for case, by_title in samples.items():
        if ADMIN not in by_title:
            continue
        for peer in PEERS:
            if peer in by_title:
                pair = {name: by_title[name] for name in (ADMIN, peer)}
                ratio = figures_of({case: pair}, base=peer)[case][ADMIN].ratio
                if case not in found or ratio < found[case][1]:
                    found[case] = (peer, ratio)
    return found


def misses(
    figures: Figures, samples: Samples, trips: RoundTrips, latencies: Mapping[str, Loaded]
) -> list[str]:
    """A sentence for every target that was not reached by who took part."""
    measured = {title for by_title in figures.values() for title in by_title}
    found = []
    for title, targets in TARGETS.items():
        if title in measured:
            wanted = {case: target for case, target in targets.items() if case in figures}
            found += [f"{title}, {miss}" for miss in missed(figures, wanted, contestant=title)]
    for case, (peer, ratio) in against_peers(samples).items():
        if ratio < PEER_TARGETS[case]:
            found.append(f"{case}: {ratio:.1f} times {peer}, target {PEER_TARGETS[case]:g}")
    for title in (ADMIN, USER):
        for case, most in ROUND_TRIPS.items():
            # whole ones: what a process asks for by itself now and then is counted, too
            if (count := round(trips.get(title, {}).get(case, 0))) > most:
                found.append(f"{title}, {case}: {count} round trips, target {most}")
        if title in latencies and (spread := latencies[title].p99 / latencies[title].p50) > SPREAD:
            found.append(f"{title}, R at half load: p99 is {spread:.1f} times p50, target {SPREAD:g}")
    return found


def token_misses(found: Mapping[str, Sample]) -> list[str]:
    """The sentence about the price of a token, when it is too high."""
    cost = token_microseconds(dict(found))
    return (
        [] if cost <= TOKEN_MICROSECONDS else [f"a token costs {cost:.1f} µs, target {TOKEN_MICROSECONDS:g}"]
    )


def _peer_table(found: Mapping[str, tuple[str, float]]) -> str:
    cases = list(found)
    return aligned(
        [
            ["", *(CASES[case] for case in cases)],
            ["times", *(f"{found[case][1]:.1f}" for case in cases)],
            ["of", *(found[case][0] for case in cases)],
            ["*target*", *(f"≥ {PEER_TARGETS[case]:g}" for case in cases)],
        ]
    )


def _counts(trips: RoundTrips, latencies: Mapping[str, Loaded]) -> str:
    rows = [["", *CASES, "R p50", "R p99"]]
    for title, counts in trips.items():
        known = latencies.get(title)
        times = ["-", "-"] if known is None else [f"{known.p50 / 1000:.2f}", f"{known.p99 / 1000:.2f}"]
        rows.append([title, *(f"{counts[case]:.1f}" if case in counts else "-" for case in CASES), *times])
    return aligned(rows)
