"""Device of a run, and how it computes there. No part of its identity but for the precision, which its config has."""

from __future__ import annotations

import platform
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


FP32, BF16 = PRECISIONS = ("fp32", "bf16")  # of matrix products; sums are in float32 in both


@dataclass(frozen=True)
class Runtime:
    """The device, its arithmetic, and what a step does to be fast or small."""

    device: str = "cpu"
    precision: str = FP32  # bf16: matrix products in bfloat16 autocast, and tables in it that Model.bf16_tables names
    compile: bool = False  # one graph for the whole run: torch.compile(fullgraph=True)
    checkpoint_activations: bool = False  # of each block: Network.call_block; memory for a third more arithmetic

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise ValueError(f"precision is {self.precision!r} but must be {' or '.join(PRECISIONS)}")

    @classmethod
    def detect(
        cls, compile: bool = False, precision: str | None = None, checkpoint_activations: bool = False
    ) -> Runtime:
        """The first CUDA device if there is one, else the CPU, in the given precision.

        None is bf16 where the device's units multiply it, else fp32. A device that only emulates bfloat16 (before
        Ampere: T4, V100) multiplies it more slowly than float32, and so does the CPU for most sizes.
        """
        import torch

        if not torch.cuda.is_available():
            return cls("cpu", precision or FP32, compile, checkpoint_activations)
        native = torch.cuda.is_bf16_supported(including_emulation=False)
        return cls("cuda", precision or (BF16 if native else FP32), compile, checkpoint_activations)

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

    def peak_reserved_bytes(self) -> int | None:
        """Peak of what torch's allocator held since the last reset, blocks that it keeps for later included.

        At least :meth:`peak_memory_bytes`: the difference is what fragmentation takes. None on a CPU.
        """
        import torch

        return torch.cuda.max_memory_reserved(self.device) if self.device_type == "cuda" else None

    def reset_peak_memory(self) -> None:
        import torch

        if self.device_type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
