import platform
import subprocess
import sys

import pytest

CODE = """
import ctypes, psutil
from app.server.memory import return_large_blocks

return_large_blocks()
c = ctypes.CDLL(None)
c.malloc.restype, c.malloc.argtypes, c.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
before = psutil.Process().memory_info().rss
for _ in range(3):
    block = c.malloc(19 << 20)
    ctypes.memset(block, 1, 19 << 20)
    c.free(block)
print((psutil.Process().memory_info().rss - before) >> 20)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="this C library keeps no large blocks")
def test_large_blocks_are_given_back_each_time() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 5
