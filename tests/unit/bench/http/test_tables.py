"""Which targets a run over HTTP missed."""

from tests.bench.http.entrants import ADMIN, BASE, PEERS, USER
from tests.bench.http.load import Loaded
from tests.bench.http.tables import TARGETS, against_peers, misses
from tests.bench.report import Sample, figures_of


def sample(rate: float) -> list[Sample]:
    return [Sample(wall=1 / rate, cpu=0.5 / rate)]


def test_nothing_is_missed_where_every_target_is_reached() -> None:
    samples = {
        case: {BASE: sample(100), ADMIN: sample(200), USER: sample(180), PEERS[0]: sample(20)}
        for case in TARGETS[ADMIN]
    }
    trips = {ADMIN: dict.fromkeys(samples, 1.2), USER: dict.fromkeys(samples, 1.0)}
    latencies = {USER: Loaded(requests=9, seconds=1, p50=1.0, p99=3.9)}

    assert misses(figures_of(samples, base=BASE), samples, trips, latencies) == []


def test_each_missed_target_is_a_sentence() -> None:
    samples = {"R": {BASE: sample(100), USER: sample(120), ADMIN: sample(200), PEERS[1]: sample(50)}}
    latencies = {USER: Loaded(requests=9, seconds=1, p50=1.0, p99=9.0)}

    found = misses(figures_of(samples, base=BASE), samples, {USER: {"R": 2.0}}, latencies)

    assert found == [
        f"{USER}, R: 1.20, target 1.50",
        f"R: 4.0 times {PEERS[1]}, target 6",
        f"{USER}, R: 2 round trips, target 1",
        f"{USER}, R at half load: p99 is 9.0 times p50, target 4",
    ]


def test_it_is_the_fastest_framework_that_counts() -> None:
    samples = {"R": {ADMIN: sample(200), PEERS[0]: sample(20), PEERS[1]: sample(50)}}

    peer, ratio = against_peers(samples)["R"]

    assert (peer, round(ratio, 3)) == (PEERS[1], 4.0)
