from app.realtime.backoff import Backoff


def test_delays_grow_up_to_the_longest_and_differ() -> None:
    backoff = Backoff(1.0, 8.0)
    delays = [backoff.next() for _ in range(50)]
    for delay, whole in zip(delays, [1.0, 2.0, 4.0, *[8.0] * 47], strict=True):
        assert whole / 2 <= delay <= whole
    assert len(set(delays)) > 40


def test_after_a_success_the_delays_start_again() -> None:
    backoff = Backoff(1.0, 8.0)
    for _ in range(5):
        backoff.next()
    backoff.reset()
    assert backoff.next() <= 1.0
