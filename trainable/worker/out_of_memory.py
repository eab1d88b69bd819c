"""Memory of a GPU that several trials share: a limit for each, and the culprit where it ran out.

A trial that takes more than its part would let its neighbours die in its place. So each process is limited to its part,
and an error of memory is given a line with the facts: what the trial was allowed and what it held, what was free. From
that line the driver tells whether the config itself needs too much, or a neighbour took what was the trial's.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

# Taken by CUDA itself and by the kernels of its libraries, which torch's allocator does not count. Assumed.
CONTEXT_BYTES = 2**30

# By the type of the error, at the start of a line; torch names the CPU's failed allocations in a RuntimeError.
NO_MEMORY = re.compile(
    r"^((torch|numpy)\.\S*MemoryError|MemoryError)\b"
    r"|can't allocate memory"
    r"|^(?!ValueError)[\w.]*(Error|Failed): .*?"
    r"(\b(CUDA|HIP) out of memory|\b(CUDA|HIP)( driver)? error: out of memory"
    r"|Triton Error \[(CUDA|HIP)\]: out of memory|\b[A-Z]+_STATUS_ALLOC_FAILED\b)",
    re.MULTILINE,
)
_FACTS = re.compile(
    r"^GPU memory: ([\d,]+) bytes allowed to this trial, ([\d,]+) held, [\d,]+ at most; ([\d,]+) free of [\d,]+$",
    re.MULTILINE,
)
_ASKED = re.compile(r"Tried to allocate (\d+(?:\.\d+)?) (bytes|KiB|MiB|GiB)")
_UNITS = {"bytes": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_ROUNDED = 0.005  # of a unit, at most, in what torch writes


@dataclass(frozen=True)
class Facts:
    """Bytes of a GPU when an allocation failed."""

    allowed: int  # to the trial's process
    held: int  # by it, in tensors and in torch's cache
    most: int  # that it held at a time
    free: int  # on the device
    total: int

    def __str__(self) -> str:
        return (
            f"GPU memory: {self.allowed:,} bytes allowed to this trial, {self.held:,} held, {self.most:,} at most; "
            f"{self.free:,} free of {self.total:,}"
        )


def allowed_bytes(total: int, share: float) -> int:
    """Bytes of tensors of a process that has a part of a GPU with ``total`` bytes; a ValueError where it has none."""
    allowed = int(share * total) - CONTEXT_BYTES
    if allowed <= 0:
        raise ValueError(
            f"--gpu-fraction {share:g} is {share * total / 2**30:.2f} GiB of this GPU, of which CUDA itself takes "
            f"about {CONTEXT_BYTES / 2**30:g} GiB: give each trial more than {CONTEXT_BYTES / total:.2g}"
        )
    return allowed


def make_room(share: float) -> None:
    """Give the last trial's memory back to the GPU, and limit this process to its part; nothing without a GPU."""
    import torch

    if not torch.cuda.is_available():
        return
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction(1.0 if share >= 1 else allowed_bytes(total, share) / total)


@contextmanager
def facts_told(share: float) -> Iterator[None]:
    """Add the facts to an error in the block that says of a GPU's memory that it ran out."""
    try:
        yield
    except Exception as error:
        if NO_MEMORY.search("".join(traceback.format_exception(error))):
            with suppress(Exception):  # a device that no longer answers
                _add(error, share)
        raise


def _add(error: Exception, share: float) -> None:
    import torch

    if torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info()
        held, most = torch.cuda.memory_reserved(), torch.cuda.max_memory_reserved()
        error.add_note(str(Facts(allowed_bytes(total, share), held, most, free, total)))


def neighbour_took_it(error: str) -> bool:
    """Tell from an error's text whether memory ran out that the trial was allowed, so that others have it."""
    found = list(_FACTS.finditer(error))
    if not found or not NO_MEMORY.search(error):
        return False
    allowed, held, free = (int(number.replace(",", "")) for number in found[-1].groups())
    left, asked = allowed - held, _ASKED.findall(error)
    if not asked:  # a library does not say how much
        return free < left
    amount, unit = asked[-1]
    return (float(amount) + _ROUNDED) * _UNITS[unit] <= left
