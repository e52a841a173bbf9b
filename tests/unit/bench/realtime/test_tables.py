"""What is printed of a run, and which targets it missed."""

from dataclasses import replace

from tests.bench.realtime.fanout import Slice, middle
from tests.bench.realtime.growth import Grown
from tests.bench.realtime.outcome import Outcome
from tests.bench.realtime.posting import Heard, Posted
from tests.bench.realtime.tables import OURS, missed, shown
from tests.bench.realtime.verdict import Verdict

GOOD = Slice(
    rate=100,
    delivered_per_second=99_000,
    cpu=0.8,
    generator_cpu=0.3,
    p50_ms=5,
    p99_ms=20,
    verdict=Verdict(),
    refused=0,
)


def outcome() -> Outcome:
    return Outcome(
        slices={OURS: [GOOD], "other": [replace(GOOD, p99_ms=2_000)]},
        fastest={OURS: replace(GOOD, rate=161), "other": None},
        heard=Heard(100, 4.0, 14.0, Verdict()),
        posted=[Posted("50 chats", 2_100, 7.0, 20.0, 0.4, {})],
        stored={"messages": 8_400, "streams with gaps": 0, "deadlocks": 0},
        growth={OURS: [Grown(1000, 27.0, 6.5, 4.0, 9.0)]},
    )


def test_a_run_that_meets_every_target_misses_none() -> None:
    assert missed(outcome(), sockets=1000) == []


def test_what_was_not_measured_is_not_missed() -> None:
    assert missed(Outcome(), sockets=1000) == []
    assert shown(Outcome(), 1000, 100) == ""


def test_every_target_that_is_not_met_is_named() -> None:
    bad = outcome()
    bad.slices[OURS] = [replace(GOOD, cpu=1.0, p99_ms=60, verdict=Verdict(lost=1))]
    bad.fastest[OURS] = None
    bad.heard = Heard(100, 6.0, 16.0, Verdict(doubled=1))
    bad.posted = [Posted("50 chats", 1_900, 7.0, 20.0, 0.4, {"500": 1})]
    bad.stored = {"messages": 1, "streams with gaps": 1, "deadlocks": 2}
    bad.growth[OURS] = [Grown(1000, 29.0, 6.5, 4.0, 9.0)]

    assert len(missed(bad, sockets=1000)) == 12


def test_the_tables_have_a_line_for_each_server() -> None:
    text = shown(outcome(), 1000, 100)

    assert "| Starling | 0.80 | 0.30 | 99,000 | 5 / 20 | 0 / 0 / 0 | 0 | 161,000 |" in text
    assert "| other | 0.80 | 0.30 | 99,000 | 5 / 2,000 | 0 / 0 / 0 | 0 | - |" in text
    assert "| 50 chats | 2,100 | 7.0 / 20.0 | 0.40 | - |" in text
    assert "| Starling | 1,000 | 27.0 | 6.5 | 4 / 9 |" in text
    assert "messages: 8400, streams with gaps: 0, deadlocks: 0" in text


def test_the_middle_of_slices_is_their_median_and_forgets_no_fault() -> None:
    slices = [replace(GOOD, p99_ms=p99, verdict=Verdict(lost=1)) for p99 in (10.0, 500.0, 20.0)]

    assert middle(slices).p99_ms == 20
    assert middle(slices).verdict == Verdict(lost=3)


def test_a_rate_is_kept_up_when_nothing_is_missing_refused_or_late() -> None:
    assert GOOD.is_kept_up
    assert not replace(GOOD, p99_ms=101).is_kept_up
    assert not replace(GOOD, verdict=Verdict(out_of_order=1)).is_kept_up
    assert not replace(GOOD, refused=1).is_kept_up
