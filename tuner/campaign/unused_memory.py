"""Memory that this process no longer uses but still holds, given back to the machine.

A search of thousands of trials frees what it has worked with piece by piece, between what stays. The allocators keep it
for themselves: after a resume of ten thousand trials nearly a hundred megabytes, which the tables of its end would then
come on top of.
"""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress

import pyarrow as pa


def give_back_unused() -> None:
    """Collect what is in cycles, and give free memory of Arrow and of the C library back, where that can be done."""
    gc.collect()
    pa.default_memory_pool().release_unused()
    with suppress(OSError, AttributeError):  # not on macOS, nor with a C library other than GNU's
        ctypes.CDLL("libc.so.6").malloc_trim(0)
