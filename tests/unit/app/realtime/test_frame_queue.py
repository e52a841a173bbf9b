from app.realtime.events import Frame
from app.realtime.frame_queue import FrameQueue


def frame(size: int) -> Frame:
    return Frame(b"x" * size)


def test_frames_come_out_in_the_order_in_which_they_went_in() -> None:
    queue = FrameQueue()
    frames = [frame(size) for size in range(3)]
    assert all(queue.put(one) for one in frames)
    assert [queue.take() for _ in frames] == frames
    assert not queue


def test_there_is_room_for_so_many_frames_and_no_more() -> None:
    queue = FrameQueue(max_frames=2)
    assert [queue.put(frame(1)) for _ in range(3)] == [True, True, False]


def test_the_bytes_of_a_frame_count_until_it_is_written() -> None:
    queue = FrameQueue(max_bytes=100)
    assert queue.put(frame(60))
    assert queue.put(frame(30))
    taken = queue.take()
    assert not queue.put(frame(30))
    queue.written(taken)
    assert queue.put(frame(30))


def test_a_frame_larger_than_the_bound_has_room_where_none_waits() -> None:
    queue = FrameQueue(max_bytes=10)
    assert queue.put(frame(100))
    assert not queue.put(frame(1))


def test_it_is_congested_above_a_quarter_of_either_bound() -> None:
    many, large = FrameQueue(max_frames=8), FrameQueue(max_bytes=100)
    for _ in range(2):
        many.put(frame(1))
    large.put(frame(25))
    assert not many.is_congested
    assert not large.is_congested
    many.put(frame(1))
    large.put(frame(1))
    assert many.is_congested
    assert large.is_congested


def test_nothing_waits_once_it_was_cleared() -> None:
    queue = FrameQueue()
    queue.put(frame(1))
    queue.clear()
    assert len(queue) == 0
