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
    """The device, its arithmetic, and how a step is put together for it.

    FlexAttention and CUDA graphs have not run on a GPU yet, so that nothing sets them by itself.
    """

    device: str = "cpu"
    precision: str = FP32  # bf16: matrix products in bfloat16 autocast, and tables in it that Model.bf16_tables names
    compile: bool = False  # one graph for the whole run: torch.compile(fullgraph=True)
    checkpoint_activations: bool = False  # of each block: Network.call_block; memory for a third more arithmetic
    compile_blocks: bool = False  # in that graph, each kind of block is compiled once (compiled_blocks.py)
    flex_attention: bool = False  # in that graph, windows and fp32 on CUDA by FlexAttention (attention_kernel.py)
    cuda_graphs: bool = False  # forward and backward pass replayed as one launch (cuda_graph.py)

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise ValueError(f"precision is {self.precision!r} but must be {' or '.join(PRECISIONS)}")
        for name in ("compile_blocks", "flex_attention"):
            if getattr(self, name) and not self.compile:
                raise ValueError(f"{name} is for compiled steps: it needs compile")
        for name in ("flex_attention", "cuda_graphs"):
            if getattr(self, name) and not self.device.startswith("cuda"):
                raise ValueError(f"{name} needs a CUDA device, and the device is {self.device!r}")
        if self.cuda_graphs and self.checkpoint_activations:
            raise ValueError("cuda_graphs does not go with checkpoint_activations, which reads the generators' states")

    @classmethod
    def detect(cls, compile: bool = False, precision: str | None = None, **ways: bool) -> Runtime:
        """The first CUDA device if there is one, else the CPU, in the given precision and with the other fields given.

        None is bf16 where the device's units multiply it, else fp32. A device that only emulates bfloat16 (before
        Ampere: T4, V100) multiplies it more slowly than float32, and so does the CPU for most sizes.
        """
        import torch

        if not torch.cuda.is_available():
            return cls("cpu", precision or FP32, compile, **ways)
        native = torch.cuda.is_bf16_supported(including_emulation=False)
        return cls("cuda", precision or (BF16 if native else FP32), compile, **ways)

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
