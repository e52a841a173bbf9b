from services.chat.websocket.budget import FrameBudget


def test_frames_up_to_the_rate_may_come_at_once_and_then_no_more() -> None:
    budget = FrameBudget(5, now=100.0)
    assert [budget.take(100.0) for _ in range(6)] == [True] * 5 + [False]


def test_time_gives_frames_back_up_to_one_second_s_worth() -> None:
    budget = FrameBudget(5, now=100.0)
    while budget.take(100.0):
        pass
    assert not budget.take(100.19)
    assert budget.take(100.21)
    assert [budget.take(200.0) for _ in range(6)] == [True] * 5 + [False]


def test_a_steady_stream_at_the_rate_is_never_stopped() -> None:
    budget = FrameBudget(50, now=0.0)
    assert all(budget.take(frame / 50) for frame in range(5_000))
