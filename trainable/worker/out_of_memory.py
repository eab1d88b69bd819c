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

# Types of which each text is an error of memory: Python's, numpy's, torch's, cupy's.
_BY_TYPE = r"[\w.]*MemoryError\b"
# Errors whose text is whatever the code that raised them was given: what they say of memory means nothing.
_OF_THE_CODE = (
    r"(?!(Value|Key|Index|Lookup|Type|Assertion|Attribute|Name|Syntax|Arithmetic|Overflow|ZeroDivision|Unicode\w*"
    r"|Import|ModuleNotFound|NotImplemented)Error:)"
)
# An error in the text of a traceback. An exception in a group of several is indented, and has a bar before it.
ERROR_LINE = rf"^[ \t|]*{_OF_THE_CODE}[\w.]*(Error|Failed): .*?"
# The device's own errors, as torch, Triton, jax and cupy put them before their text.
OF_DEVICE = r"(\b(CUDA|HIP)( driver)? error: |Triton Error \[(CUDA|HIP)\]: |\b(CUDA_ERROR_|cudaError|hipError)\w+: )"
_TENSORFLOW = r"^[ \t|]*[\w.]*ResourceExhaustedError: (?s:.{0,5000}?)(\bOOM when allocating|failed to allocate memory)"
_NO_MEMORY = re.compile(
    rf"^[ \t|]*{_BY_TYPE}|{_TENSORFLOW}|{ERROR_LINE}"
    rf"({OF_DEVICE}out of memory|\b(CUDA|HIP|XPU|MPS backend) out of memory|\b[A-Z]+_STATUS_ALLOC_FAILED\b"
    r"|\b(can't|[Cc]annot) allocate memory|DefaultCPUAllocator: not enough memory"
    r"|\bRESOURCE_EXHAUSTED: .*?(out of memory|allocat|reserve|\bOOM\b))",
    re.MULTILINE,
)
_COLOURS = re.compile(r"\x1b\[[\d;]*m")
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
        if line_of_no_memory("".join(traceback.format_exception(error))):
            with suppress(Exception):  # a device that no longer answers
                _add(error, share)
        raise


def _add(error: Exception, share: float) -> None:
    import torch

    if torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info()
        held, most = torch.cuda.memory_reserved(), torch.cuda.max_memory_reserved()
        error.add_note(str(Facts(allowed_bytes(total, share), held, most, free, total)))


def without_colours(text: str) -> str:
    """The text without the codes by which a terminal colours it; Ray and some tracebacks write them."""
    return _COLOURS.sub("", text)


def last_line_with(pattern: re.Pattern[str], text: str) -> str:
    """The line in which the last match of a pattern begins; empty without one."""
    found = list(pattern.finditer(text))
    return text[text.rfind("\n", 0, found[-1].start()) + 1 :].partition("\n")[0].strip(" \t|") if found else ""


def line_of_no_memory(error: str) -> str:
    """The last line of an error's text that says that memory ran out, of a device or of the machine; else empty."""
    return last_line_with(_NO_MEMORY, without_colours(error))


def neighbour_took_it(error: str) -> bool:
    """Tell from an error's text whether memory ran out that the trial was allowed, so that others have it."""
    found = list(_FACTS.finditer(error))
    if not found or not line_of_no_memory(error):
        return False
    allowed, held, free = (int(number.replace(",", "")) for number in found[-1].groups())
    left, asked = allowed - held, _ASKED.findall(error)
    if not asked:  # a library does not say how much
        return free < left
    amount, unit = asked[-1]
    return (float(amount) + _ROUNDED) * _UNITS[unit] <= left
