"""The section ``environment``: the machine, and the rates that its device reaches with nothing of ours."""

from __future__ import annotations

import importlib
import importlib.util
import os
import platform
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import torch

from benchmarks.gpu.context import MIB, Context
from benchmarks.gpu.figures import Figures
from trainable.component import components
from trainable.runtime import Runtime

ROOT = Path(__file__).parents[2]
# What the product installs and training on tokens does without: a GPU's image seldom has all of them.
NOT_NEEDED = (
    *("rustbpe", "tiktoken", "sentencepiece", "huggingface_hub", "safetensors", "pyarrow", "fsspec"),
    *("pandas", "pydantic", "ray", "optuna", "psutil"),
)
SIDE = 8192  # of the square matrices that are multiplied
COPIED_BYTES = 2**30


def environment(context: Context) -> Figures:
    """Versions, what is installed, and of a CUDA device its properties and the rates of the plainest operations."""
    detected = Runtime.detect()
    detected.reset_peak_memory()  # in the order of a trial's process: nothing has touched the device before
    found: Figures = {
        "peak_before_any_work": detected.peak_memory_bytes(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "not_installed": [name for name in NOT_NEEDED if importlib.util.find_spec(name) is None],
        "cpus": os.cpu_count(),
        "checkout": _commit(),
        "components": {kind: len(components(kind)) for kind in ("model", "hook", "loss term", "schedule", "optimizer")},
        "detected": str(detected),
    }
    for name in ("triton", "numpy", "safetensors", "pyarrow"):
        with suppress(Exception):
            found[name] = importlib.import_module(name).__version__
    return found | _cuda(context) if context.cuda else found


def _commit() -> str:
    """The commit of the code, shortened; empty where it is in no repository or git is not there."""
    with suppress(OSError):
        command = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
        return subprocess.run(command, capture_output=True, text=True).stdout.strip()
    return ""


def _cuda(context: Context) -> Figures:
    properties = torch.cuda.get_device_properties(0)
    a, b = (torch.randn(SIDE, SIDE, device=context.device, dtype=torch.bfloat16) for _ in range(2))
    big = torch.empty(COPIED_BYTES, dtype=torch.uint8, device=context.device)
    other, one = torch.empty_like(big), torch.zeros(8, device=context.device)
    return {
        "device": properties.name,
        "memory_mib": properties.total_memory // MIB,
        "multiprocessors": properties.multi_processor_count,
        "capability": list(torch.cuda.get_device_capability()),
        "cuda": torch.version.cuda,
        "bf16": torch.cuda.is_bf16_supported(including_emulation=False),
        "mps_control": shutil.which("nvidia-cuda-mps-control"),
        "matmul_tflops": round(2 * SIDE**3 / context.throughput(lambda: a @ b, 3, 10) / 1e12),
        "copy_tb_s": round(2 * COPIED_BYTES / context.throughput(lambda: other.copy_(big), 3, 10) / 1e12, 2),
        "launch_us": round(context.throughput(lambda: one.add_(1), 50, 500) * 1e6, 1),
    }
