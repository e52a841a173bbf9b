"""Frames that wait to be written to one socket: bounded, because a reader may be slow for ever."""

from typing import Final

from app.realtime.events import Frame

MAX_QUEUED_FRAMES: Final = 256
MAX_QUEUED_BYTES: Final = 1 << 20  # both from the contract: past either of them the reader is slow and is cut
CONGESTED_PART: Final = 4  # a replay fills a quarter of the queue, the rest is for what happens meanwhile


class FrameQueue:
    """First in, first out. No waiting."""

    __slots__ = ("_bytes", "_frames", "_max_bytes", "_max_frames")

    def __init__(self, *, max_frames: int = MAX_QUEUED_FRAMES, max_bytes: int = MAX_QUEUED_BYTES) -> None:
        self._max_frames = max_frames
        self._max_bytes = max_bytes
        self._frames: list[Frame] = []  # not a deque, which takes 700 bytes when it is empty
        self._bytes = 0  # the frame in the writer's hands included

    def __len__(self) -> int:
        """How many wait."""
        return len(self._frames)

    def put(self, frame: Frame) -> bool:
        """Add one. False when there is no room; a frame larger than the bound has it where none waits."""
        frames = self._frames
        if frames and (len(frames) >= self._max_frames or self._bytes + len(frame) > self._max_bytes):
            return False
        frames.append(frame)
        self._bytes += len(frame)
        return True

    def take(self) -> Frame:
        """The first. Its bytes count until it is `written`."""
        return self._frames.pop(0)

    def written(self, frame: Frame) -> None:
        """A frame that was taken is out of our hands."""
        self._bytes -= len(frame)

    def clear(self) -> None:
        """None waits."""
        self._frames.clear()

    @property
    def is_congested(self) -> bool:
        """So much waits that a sender who can wait should."""
        return (
            len(self._frames) * CONGESTED_PART > self._max_frames
            or self._bytes * CONGESTED_PART > self._max_bytes
        )
