"""What arrivals say about an order, and about delays."""

import math

from tests.bench.realtime.verdict import Verdict, judged, percentile


def test_the_same_order_everywhere_is_right_whatever_order_it_is() -> None:
    assert judged([[2, 1, 3], [2, 1, 3]], expected=[1, 2, 3]) == Verdict()


def test_what_did_not_come_is_lost() -> None:
    assert judged([[1, 2, 3], [1, 3], []], expected=[1, 2, 3]) == Verdict(lost=4)


def test_what_came_again_is_doubled() -> None:
    assert judged([[1, 2, 3], [1, 2, 2, 3, 1]], expected=[1, 2, 3]) == Verdict(doubled=2)


def test_what_came_after_a_later_one_is_out_of_order() -> None:
    assert judged([[1, 2, 3, 4], [1, 4, 2, 3]], expected=[1, 2, 3, 4]) == Verdict(out_of_order=2)


def test_what_was_posted_and_never_acknowledged_may_come() -> None:
    assert judged([[1, 2, 9], [1, 9, 2]], expected=[1, 2]) == Verdict()


def test_without_a_whole_receiver_the_order_of_posting_counts() -> None:
    assert judged([[2, 1]], expected=[1, 2, 3]) == Verdict(lost=1, out_of_order=1)


def test_verdicts_add_up() -> None:
    assert Verdict(1, 2, 3) + Verdict(1, 0, 1) == Verdict(2, 2, 4)


def test_a_percentile_is_a_value_that_was_measured() -> None:
    delays = list(range(1, 201))
    assert percentile(delays, 50) == 100
    assert percentile(delays, 99) == 198
    assert percentile([7], 99) == 7
    assert math.isnan(percentile([], 50))
