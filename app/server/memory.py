"""What a worker does with memory that it does not need any more."""

import contextlib
import ctypes
import gc
from typing import Final

# Objects that are made and not freed, until the youngest are looked at; how many such looks until the next
# older ones are. Cycles that wait for it take a few megabytes at most.
_GC_THRESHOLDS: Final = (10_000, 20, 50)

_M_MMAP_THRESHOLD: Final = -3  # of glibc's malloc.h
_LARGE_BYTES: Final = 1 << 20


def spare_the_collector() -> None:
    """Let the garbage collector look at what requests leave behind, and at that seldom.

    What was made by now stays for good: a full collection takes less than a millisecond when it is frozen,
    and 14 of them, in which nobody is answered, when it is not. By default the youngest objects are looked at
    after every 700, which a page of rows has in one piece, all of them alive: some 8 % of the time of a
    search for 1,000 rows.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)


def return_large_blocks() -> None:
    """Let the C library give a block of a mebibyte and more back to the system when it is freed.

    The first password is hashed in 19 MiB that are given back; glibc takes the freeing of such a block for a
    habit, and keeps every later one: an idle worker of 42 MiB stayed at 61 after its second sign-in. Other
    libraries have no such habit, and no such function.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
