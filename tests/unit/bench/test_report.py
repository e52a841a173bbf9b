"""What the rig makes of its samples: medians, ratios within a round, the table, the verdict."""

import pytest

from tests.bench.report import Figure, Sample, cpu_cell, figures_of, missed, rates_cell, table


def walls(*milliseconds: float) -> list[Sample]:
    return [Sample(wall=one / 1e3, cpu=one / 2e3) for one in milliseconds]


def figure(ratio: float) -> Figure:
    return Figure(wall=1234.5, cpu=67.8, ratio=ratio, cpu_ratio=ratio)


def test_figures_are_medians_in_microseconds() -> None:
    figures = figures_of({"get": {"raw": walls(3, 1, 2)}}, base="raw")

    assert figures["get"]["raw"] == Figure(wall=2000, cpu=1000, ratio=1, cpu_ratio=1)


def test_a_ratio_compares_within_a_round_so_that_a_slow_round_spoils_nothing() -> None:
    # twice as slow in each round; the machine was busy in the second one
    samples = {"get": {"raw": walls(1, 10, 1), "other": walls(2, 20, 2)}}

    assert figures_of(samples, base="raw")["get"]["other"].ratio == pytest.approx(0.5)


def test_a_ratio_above_one_is_faster_than_the_base() -> None:
    samples = {"get": {"raw": walls(3, 3), "other": walls(2, 2)}}

    assert figures_of(samples, base="raw")["get"]["other"].ratio == pytest.approx(1.5)


def test_an_even_number_of_rounds_has_the_mean_of_the_middle_two_as_median() -> None:
    assert figures_of({"get": {"raw": walls(1, 2, 4, 9)}}, base="raw")["get"]["raw"].wall == pytest.approx(
        3000
    )


@pytest.mark.parametrize("other", [walls(1), walls(1, 2, 3)])
def test_a_contestant_with_other_rounds_than_the_base_is_refused(other: list[Sample]) -> None:
    with pytest.raises(ValueError, match="zip"):
        figures_of({"get": {"raw": walls(1, 2), "other": other}}, base="raw")


def test_no_round_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="no round"):
        figures_of({"get": {"raw": []}}, base="raw")


def test_the_table_has_a_row_for_each_contestant_a_column_for_each_case_and_the_targets_below() -> None:
    figures = {"get": {"raw": figure(1), "other": figure(0.456)}, "insert": {"raw": figure(1)}}

    titles = {"get": "get by id", "insert": "insert", "other": "not measured"}
    text = table(figures, titles, {"*target*": {"get": 0.85}})

    assert text.splitlines() == [
        "|          | get by id         | insert            |",
        "|----------|-------------------|-------------------|",
        "| raw      | 1.00 · 1,234 (68) | 1.00 · 1,234 (68) |",
        "| other    | 0.46 · 1,234 (68) | -                 |",
        "| *target* | ≥ 0.85            |                   |",
    ]


def test_a_figure_can_be_shown_as_a_rate_or_as_a_ratio_of_cpu() -> None:
    found = Figure(wall=2000, cpu=67.8, ratio=1.5, cpu_ratio=0.75)

    assert rates_cell(found) == "1.50 · 500 (68)"
    assert cpu_cell(found) == "0.75"


def test_a_target_counts_as_reached_when_the_ratio_that_is_shown_reaches_it() -> None:
    figures = {"get": {"ours": figure(0.846)}, "insert": {"ours": figure(0.844)}}

    assert missed(figures, {"get": 0.85, "insert": 0.85}, contestant="ours") == ["insert: 0.84, target 0.85"]


def test_a_case_that_was_not_measured_misses_its_target() -> None:
    assert missed({"get": {"raw": figure(1)}}, {"get": 0.85}, contestant="ours") == [
        "get: not measured, target 0.85"
    ]
