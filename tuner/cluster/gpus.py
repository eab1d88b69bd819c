"""GPUs of this machine, counted without loading torch where it could find none."""

from __future__ import annotations

import ctypes
from pathlib import Path

NVIDIA_DRIVER = "libcuda.so.1"  # which CUDA itself loads
AMD_DEVICE = Path("/dev/kfd")  # which ROCm opens


def count() -> int:
    """The GPUs that torch can use."""
    if not may_be_here():
        return 0
    import torch

    return torch.cuda.device_count()


def may_be_here() -> bool:
    """Tell whether a GPU's driver is here (NVIDIA's library or AMD's device): without one torch sees no GPU."""
    if AMD_DEVICE.exists():
        return True
    try:
        ctypes.CDLL(NVIDIA_DRIVER)
    except OSError:
        return False
    return True
