"""Numbers, and the text that Prometheus reads."""

from starlette.applications import Starlette

from app.http.metrics import Family, Metrics, Sample, merged, metrics_of, rendered


def lines_of(metrics: Metrics) -> list[str]:
    return [line for line in rendered(metrics.families()).splitlines() if not line.startswith("#")]


def test_requests_are_counted_by_method_route_and_status() -> None:
    metrics = Metrics()
    for status in (200, 200, 404):
        metrics.observe("GET", "/chats/{chat_id:int}", status, 0.003)
    lines = lines_of(metrics)
    assert 'starling_requests_total{method="GET",route="/chats/{chat_id:int}",status="200"} 2' in lines
    assert 'starling_requests_total{method="GET",route="/chats/{chat_id:int}",status="404"} 1' in lines


def test_durations_are_a_histogram_whose_buckets_add_up() -> None:
    metrics = Metrics()
    for seconds in (0.0005, 0.003, 0.003, 60.0):
        metrics.observe("GET", "/x", 200, seconds)
    lines = lines_of(metrics)
    name = "starling_request_duration_seconds"
    assert f'{name}_bucket{{method="GET",route="/x",le="0.001"}} 1' in lines
    assert f'{name}_bucket{{method="GET",route="/x",le="0.005"}} 3' in lines
    assert f'{name}_bucket{{method="GET",route="/x",le="10"}} 3' in lines
    assert f'{name}_bucket{{method="GET",route="/x",le="+Inf"}} 4' in lines
    assert f'{name}_count{{method="GET",route="/x"}} 4' in lines
    assert f'{name}_sum{{method="GET",route="/x"}} 60.0065' in lines


def test_the_waits_for_the_database_are_one_histogram_of_all_routes() -> None:
    metrics = Metrics()
    for seconds in (0.003, 0.02):
        metrics.observe_database(seconds)
    lines = lines_of(metrics)
    name = "starling_request_database_seconds"
    assert f'{name}_bucket{{le="0.005"}} 1' in lines
    assert f"{name}_count 2" in lines
    assert f"{name}_sum 0.023" in lines


def test_what_clients_choose_makes_no_new_lines() -> None:
    metrics = Metrics()
    for number in range(1000):
        metrics.observe(f"M{number}", None, 405, 0.001)
    requests, durations, _ = metrics.families()
    assert [sample.labels for sample in requests.samples] == [
        (("method", "OTHER"), ("route", "(unknown)"), ("status", "405"))
    ]
    assert durations.samples[-1].value == 1000


def test_a_counter_is_one_however_often_it_is_asked_for() -> None:
    metrics = Metrics()
    metrics.counter("starling_failures_total", "Failures.").add()
    metrics.counter("starling_failures_total", "Failures.").add(2, kind='a "b"\n\\')
    text = rendered(metrics.families())
    assert "# HELP starling_failures_total Failures.\n# TYPE starling_failures_total counter\n" in text
    assert "starling_failures_total 1\n" in text
    assert 'starling_failures_total{kind="a \\"b\\"\\n\\\\"} 2\n' in text


def test_a_counter_that_nothing_was_added_to_is_0() -> None:
    metrics = Metrics()
    metrics.counter("starling_failures_total", "Failures.")
    assert "starling_failures_total 0" in lines_of(metrics)


def test_sources_are_asked_at_each_scrape() -> None:
    metrics, pool = Metrics(), [1.5]
    metrics.source(lambda: [Family("starling_pool", "gauge", "Pool.", [Sample((), pool[0])])])
    assert "starling_pool 1.5" in lines_of(metrics)
    pool[0] = 2
    assert "starling_pool 2" in lines_of(metrics)


def test_the_numbers_of_several_workers_stand_together_under_one_name() -> None:
    parts = [
        (worker, [Family("starling_pool", "gauge", "Pool.", [Sample((("a", "b"),), value)])])
        for worker, value in (("0", 1), ("1", 2))
    ]
    assert rendered(merged(parts)).splitlines() == [
        "# HELP starling_pool Pool.",
        "# TYPE starling_pool gauge",
        'starling_pool{a="b",worker="0"} 1',
        'starling_pool{a="b",worker="1"} 2',
    ]


def test_an_application_without_an_edge_may_count_too() -> None:
    metrics_of(Starlette()).counter("starling_failures_total", "Failures.").add()
