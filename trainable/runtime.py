"""Device and precision of a run: where and how fast it computes. No part of its identity."""

from __future__ import annotations

import platform
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Runtime:
    """The device, its arithmetic and whether the step is compiled."""

    device: str = "cpu"
    precision: str = "fp32"  # "bf16" runs matrix products in bfloat16 autocast and keeps the token table in bfloat16
    compile: bool = False  # one graph for the whole run: torch.compile(fullgraph=True)

    def __post_init__(self) -> None:
        if self.precision not in ("fp32", "bf16"):
            raise ValueError(f"precision is {self.precision!r} but must be fp32 or bf16")

    @classmethod
    def detect(cls, compile: bool = False) -> Runtime:
        """The first CUDA device if there is one, in bfloat16 where its units multiply it; else the CPU in fp32.

        A device that only emulates bfloat16 (before Ampere: T4, V100) multiplies it more slowly than float32.
        """
        import torch

        if not torch.cuda.is_available():
            return cls(compile=compile)
        native = torch.cuda.is_bf16_supported(including_emulation=False)
        return cls("cuda", "bf16" if native else "fp32", compile)

    @property
    def device_type(self) -> str:
        import torch

        return torch.device(self.device).type

    @property
    def device_name(self) -> str:
        """Return what the results call the device: the accelerator's product name, or the processor's architecture."""
        import torch

        if self.device_type == "cuda":
            return torch.cuda.get_device_name(self.device)
        return f"cpu ({platform.machine()})"

    @property
    def generator_devices(self) -> list[torch.device]:
        """Devices beside the CPU whose generator a draw inside the network would move."""
        import torch

        return [] if self.device_type == "cpu" else [torch.device(self.device)]

    def autocast(self) -> AbstractContextManager[None]:
        import torch

        return torch.autocast(self.device_type, torch.bfloat16, enabled=self.precision == "bf16")

    def synchronize(self) -> None:
        """Wait until the device has done what it was given, so that a clock may be read."""
        import torch

        if self.device_type == "cuda":
            torch.cuda.synchronize(self.device)

    def peak_memory_bytes(self) -> int | None:
        """Peak allocation since the last reset; None on a CPU, where a process has no such counter of its own."""
        import torch

        return torch.cuda.max_memory_allocated(self.device) if self.device_type == "cuda" else None

    def reset_peak_memory(self) -> None:
        import torch

        if self.device_type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
