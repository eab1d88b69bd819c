"""Precision that Muon's iterations run in: bfloat16, as in the reference, where the device multiplies it faster.

Accelerators do. For a CPU it is measured, by a product of each precision, and kept for the machine: so workers of one
machine choose alike, and so do those of a cluster whose processors are of one kind and whose cache is shared. A run
keeps its choice in its state: one that is resumed goes on as it began, wherever that is. Results change by as much as
bfloat16 rounds, so each trial's row names the choice (``muon_precision``).
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
import os
import platform
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainable.data.preparation import cache_folder
from trainable.optimizers.stack import Stack

if TYPE_CHECKING:
    from torch import Tensor

SIDES = (128, 256)  # shorter sides that are measured; below, bfloat16 saves a CPU a hundredth of a step at most
TRIES = 6  # in each precision, by turns, of which the fastest counts
WORTH = 0.8  # of float32's time: between what was found with units for bfloat16 (0.3 to 0.6) and without (above 1.4)


def in_bfloat16(stacks: Sequence[Stack]) -> bool:
    """Choose for the matrices of a run: all of them by the largest, as that is where the time goes."""
    import torch

    largest = max(stacks, key=lambda stack: math.prod(stack.shape))
    matrix, (_, side, _) = largest.members[0], largest.shape
    if matrix.device.type != "cpu":
        return matrix.dtype != torch.float64
    if matrix.dtype != torch.float32 or side < min(SIDES):
        return False
    faster_from = smallest_side()
    return faster_from is not None and side >= faster_from


def name_of_precision(states: Mapping[str, Any]) -> str | None:
    """Name the precision that a run's iterations run in by the ``states`` of its rules; None where none iterates."""
    chosen = [state["bfloat16"] for state in states.values() if isinstance(state, dict) and "bfloat16" in state]
    return None if not chosen else "bf16" if any(chosen) else "fp32"


def smallest_side() -> int | None:
    """Return the shorter side from which on this machine iterates faster in bfloat16; None if it never does."""
    import torch

    return _of_machine(torch.get_num_threads())


@functools.cache
def _of_machine(threads: int) -> int | None:
    """The choice that is kept for the machine, measured if there is none; an unusable cache is no error."""
    kept = cache_folder() / f"bfloat16-{_fingerprint(threads)}.json"
    try:
        return read_choice(kept)
    except (OSError, ValueError):
        return keep_choice(kept, measured_shares())


def _fingerprint(threads: int) -> str:
    """A short hash of all that the measurement depends on."""
    import torch

    machine = [platform.machine(), dict(torch.cpu.get_capabilities()), torch.__version__, threads, SIDES, WORTH]
    return hashlib.sha256(json.dumps(machine, sort_keys=True, default=str).encode()).hexdigest()[:16]


def read_choice(kept: Path) -> int | None:
    """The choice in a file. An OSError where it cannot be read, a ValueError where it holds none."""
    found = json.loads(kept.read_text(encoding="utf-8"))
    if not isinstance(found, dict) or found.get("faster_from") not in (None, *SIDES) or "faster_from" not in found:
        raise ValueError(f"{kept} holds no choice of a precision")
    side: int | None = found["faster_from"]
    return side


def keep_choice(kept: Path, shares: dict[int, float]) -> int | None:
    """Write the choice down and return it: that of whoever wrote first, where several do at once."""
    chosen = choice_by(shares)
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        number, whole = tempfile.mkstemp(dir=kept.parent, prefix=kept.stem)
        with os.fdopen(number, "w", encoding="utf-8") as file:
            json.dump({"faster_from": chosen, "time_in_bfloat16_over_float32": shares}, file)
        try:
            _place(Path(whole), kept)
        finally:
            Path(whole).unlink(missing_ok=True)
        return read_choice(kept)
    except (OSError, ValueError):
        return chosen


def _place(whole: Path, kept: Path) -> None:
    """Put the finished file where it is looked for, unless another is there that can be read."""
    try:
        os.link(whole, kept)
    except FileExistsError:
        try:
            read_choice(kept)
        except ValueError:
            whole.replace(kept)  # damaged


def choice_by(shares: Mapping[int, float]) -> int | None:
    """The smallest side from which bfloat16 is worth it at every larger one too."""
    chosen = None
    for side in sorted(shares, reverse=True):
        if not shares[side] < WORTH:
            break
        chosen = side
    return chosen


def measured_shares() -> dict[int, float]:
    """Time of a Newton-Schulz step in bfloat16 over that in float32, by side; takes about 30 ms."""
    import torch

    draw = torch.Generator().manual_seed(0)
    shares = {}
    for side in SIDES:
        x = torch.randn(max(1, 512 // side), side, side, generator=draw) / side
        rounded, exact = zip(*((_seconds(x.bfloat16()), _seconds(x)) for _ in range(TRIES)), strict=True)
        shares[side] = min(rounded) / min(exact)
    return shares


def _seconds(x: Tensor) -> float:
    """The calling thread's time at work, which a busy machine lengthens less than the time that passes."""
    import torch

    started = time.thread_time()
    with torch.no_grad():
        gram = torch.bmm(x, x.mT)
        torch.baddbmm(x, torch.baddbmm(gram, gram, gram), x)
    return time.thread_time() - started
