"""Places in shared memory: written by one, read by all."""

import os

from app.server.board import PLACE_BYTES, Board


def test_what_was_left_can_be_read_and_replaced() -> None:
    board = Board(2)
    assert board.read(1) == b""
    board.write(1, b"first and long")
    board.write(1, b"second")
    assert (board.read(0), board.read(1)) == (b"", b"second")
    board.clear(1)
    assert board.read(1) == b""


def test_what_is_too_long_changes_nothing() -> None:
    board = Board(2)
    assert board.write(0, b"short")
    assert not board.write(0, b"x" * PLACE_BYTES)
    assert (board.read(0), board.read(1)) == (b"short", b"")
    assert board.write(0, b"x" * (PLACE_BYTES - 100))
    assert board.read(1) == b""


def test_a_writing_that_was_cut_off_is_read_as_nothing_until_the_next_one() -> None:
    board = Board(1)
    board.write(0, b"whole")
    board._memory[0] += 1  # as a worker leaves it that is killed in the middle
    assert board.read(0) == b""
    board.write(0, b"again")
    assert board.read(0) == b"again"


def test_a_forked_process_writes_for_its_parent() -> None:
    board = Board(1)
    child = os.fork()
    if child == 0:
        board.write(0, b"from the child")
        os._exit(0)
    os.waitpid(child, 0)
    assert board.read(0) == b"from the child"
