"""The context of every section: the device, the size of what is tried on it, and how its time and memory are read."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from benchmarks.gpu.figures import Figures
from trainable.runtime import Runtime

MIB = 2**20


@dataclass(frozen=True)
class Context:
    """A device, whether sizes are tiny, and a folder for files that are needed until the end."""

    device: str  # "cuda" or "cpu"
    quick: bool
    scratch: Path

    @property
    def cuda(self) -> bool:
        return self.device == "cuda"

    @property
    def fp32(self) -> Runtime:
        return Runtime(self.device, "fp32")

    @property
    def bf16(self) -> Runtime:
        return Runtime(self.device, "bf16")

    def synchronize(self) -> None:
        """Wait until the device has done what it was given."""
        self.fp32.synchronize()

    def fresh(self) -> None:
        """Free what ran before, and begin to count the peak of memory anew."""
        gc.collect()
        if self.cuda:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()

    def memory(self) -> Figures:
        """MiB of the device's memory now and at most since :meth:`fresh`; nothing on a CPU."""
        if not self.cuda:
            return {}
        return {
            "allocated_mib": round(torch.cuda.memory_allocated() / MIB, 1),
            "peak_allocated_mib": round(torch.cuda.max_memory_allocated() / MIB, 1),
            "peak_reserved_mib": round(torch.cuda.max_memory_reserved() / MIB, 1),
        }

    def latency(self, work: Callable[[], object], warm: int, times: int) -> float:
        """Median seconds of a call, the device waited for at both ends."""
        for _ in range(warm):
            work()
        found = []
        for _ in range(times):
            self.synchronize()
            started = time.perf_counter()
            work()
            self.synchronize()
            found.append(time.perf_counter() - started)
        return sorted(found)[len(found) // 2]

    def throughput(self, work: Callable[[], object], warm: int, times: int) -> float:
        """Seconds a call over a run of calls, which the host may queue ahead of the device."""
        for _ in range(warm):
            work()
        self.synchronize()
        started = time.perf_counter()
        for _ in range(times):
            work()
        self.synchronize()
        return (time.perf_counter() - started) / times
