"""GPUs of this machine, counted without loading torch where it could find none."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

NVIDIA_DRIVER = "libcuda.so.1"  # which CUDA itself loads
AMD_DEVICE = Path("/dev/kfd")  # which ROCm opens
HIDING = "CUDA_VISIBLE_DEVICES"  # which Ray empties for work that has reserved no GPU
ASK_SECONDS = 120.0
# From compute capability 8.0 on (Ampere) bfloat16 is multiplied by the device, before it is emulated in software.
ASKED = """
import torch
names = range(torch.cuda.device_count())
print(all(torch.version.hip or torch.cuda.get_device_properties(each).major >= 8 for each in names) if names else None)
"""
ASKED_NAME = """
import torch
print(torch.cuda.get_device_name(0))
"""
ASKED_MEMORY = """
import torch
print(*(torch.cuda.get_device_properties(each).total_memory for each in range(torch.cuda.device_count())))
"""


def count() -> int:
    """The GPUs that torch can use."""
    if not may_be_here():
        return 0
    import torch

    return torch.cuda.device_count()


def multiply_bf16(asked: str = ASKED) -> bool | None:
    """Tell whether all GPUs of this machine multiply bfloat16 themselves; None where there is none.

    An OSError where they do not say.
    """
    return {"True": True, "False": False}.get(_said(asked)) if may_be_here() else None


def memory_of_each(asked: str = ASKED_MEMORY) -> list[int]:
    """The bytes of each GPU of this machine; empty where there is none. An OSError where they do not say."""
    return [int(number) for number in _said(asked).split()] if may_be_here() else []


def name(asked: str = ASKED_NAME) -> str:
    """The name of this machine's first GPU, as its driver prints it. An OSError where it does not say."""
    return _said(asked)


def _said(asked: str) -> str:
    """Ask a process of its own about the GPUs, which leaves no context behind in their memory."""
    visible = {name: value for name, value in os.environ.items() if name != HIDING or value}
    try:
        found = subprocess.run(
            [sys.executable, "-c", asked], env=visible, capture_output=True, text=True, timeout=ASK_SECONDS, check=True
        )
    except subprocess.CalledProcessError as error:
        raise OSError((error.stderr.strip().splitlines() or [str(error)])[-1]) from None
    except subprocess.TimeoutExpired:
        raise OSError(f"no answer within {ASK_SECONDS:g} s") from None
    return found.stdout.strip()


def may_be_here() -> bool:
    """Tell whether a GPU's driver is here (NVIDIA's library or AMD's device): without one torch sees no GPU."""
    if AMD_DEVICE.exists():
        return True
    try:
        ctypes.CDLL(NVIDIA_DRIVER)
    except OSError:
        return False
    return True
