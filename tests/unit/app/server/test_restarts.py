from app.server.restarts import Restarts


def test_a_process_that_ends_after_a_long_life_is_started_again_soon() -> None:
    restarts = Restarts()
    assert [restarts.delay_after(3600, was_up=True) for _ in range(20)] == [0.1] * 20


def test_a_process_that_ends_soon_after_it_was_up_is_started_for_ever_but_less_and_less_often() -> None:
    restarts = Restarts()
    delays = [restarts.delay_after(1, was_up=True) for _ in range(20)]
    assert delays[:4] == [0.1, 0.2, 0.4, 0.8]
    assert delays[-1] == 5.0


def test_the_fifth_failed_start_in_a_row_is_the_last() -> None:
    restarts = Restarts()
    assert [restarts.delay_after(0.1, was_up=False) for _ in range(5)] == [0.1, 0.2, 0.4, 0.8, None]


def test_a_start_that_works_makes_up_for_those_that_failed() -> None:
    restarts = Restarts()
    for _ in range(4):
        restarts.delay_after(0.1, was_up=False)
    restarts.delay_after(60, was_up=True)
    assert [restarts.delay_after(0.1, was_up=False) for _ in range(4)] == [0.1, 0.2, 0.4, 0.8]


def test_a_slow_start_that_fails_is_a_failed_start_too() -> None:
    restarts = Restarts()
    assert [restarts.delay_after(60, was_up=False) for _ in range(5)][-1] is None
