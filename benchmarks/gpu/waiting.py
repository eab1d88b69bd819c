"""The section ``waiting``: where the host waits for the device, or copies to and from it, during training."""

from __future__ import annotations

import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

import trainable
from benchmarks.gpu.context import Context
from benchmarks.gpu.figures import Figures
from benchmarks.gpu.small import start, tiny
from trainable.train import train

TRAINABLE = f"{Path(trainable.__file__).parent}/"
STEPS = 12
DEEPEST = 40  # frames that are looked through for a line of ours


aten = torch.ops.aten
# Operations whose result has a size that the host must know: it reads how many there are.
SIZED_BY_NUMBERS = {aten.nonzero.default, aten.masked_select.default, aten._unique2.default, aten.unique_dim.default}


class Waits(TorchDispatchMode):  # type: ignore[misc, no-untyped-call]
    """Counts operations, and reads and copies by the line of ``trainable`` that asked for them.

    A tensor that is made of numbers of Python (``torch.tensor``) is a copy that waits where it is made for a device.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.at: Counter[str] = Counter()
        self.ops = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.ops += 1
        kwargs = kwargs or {}
        if func is aten._local_scalar_dense.default or func in SIZED_BY_NUMBERS or _masked(func, args):
            self._count("read")
        if func is aten.lift_fresh.default:
            self._count("made of numbers")
        if func is aten._to_copy.default and kwargs.get("device") is not None:
            source, target = args[0].device.type, torch.device(kwargs["device"]).type
            if source != target:
                self._count(f"{source}->{target}{' non_blocking' if kwargs.get('non_blocking') else ''}")
        return func(*args, **kwargs)

    def _count(self, what: str) -> None:
        for frame in reversed(traceback.extract_stack(limit=DEEPEST)):
            if frame.filename.startswith(TRAINABLE):
                self.at[f"{what} at {frame.filename.removeprefix(TRAINABLE)}:{frame.lineno}"] += 1
                return
        self.at[f"{what} elsewhere"] += 1


def _masked(func: Any, args: Any) -> bool:
    """Tell whether an operation takes or sets the members of a tensor at which a mask is true."""
    if func not in (aten.index.Tensor, aten.index_put.default, aten.index_put_.default):
        return False
    return any(index is not None and index.dtype is torch.bool for index in args[1])


@contextmanager
def synchronising_operations() -> Iterator[Counter[str]]:
    """Count what torch itself warns of as a synchronising operation of CUDA, by file and line; nothing on a CPU."""
    found: Counter[str] = Counter()
    if not torch.cuda.is_available():
        yield found
        return
    torch.set_warn_always(True)
    torch.cuda.set_sync_debug_mode("warn")
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield found
    finally:
        torch.cuda.set_sync_debug_mode("default")
        torch.set_warn_always(False)
    for warned in caught:
        if "synchroniz" in str(warned.message).lower():
            ours = warned.filename.startswith(TRAINABLE)
            file = warned.filename.removeprefix(TRAINABLE) if ours else Path(warned.filename).name
            found[f"{file}:{warned.lineno}"] += 1


def waiting(context: Context) -> Figures:
    """Waits in some steps of the default run, by torch's own warnings and by the operations that it dispatches."""
    config = tiny(steps=40, hooks=())
    with synchronising_operations() as warned:
        next(train(start(config, context.bf16), milestones=(STEPS,)))
    run = start(config, context.bf16)
    with Waits() as seen:
        next(train(run, milestones=(STEPS,)))
    return {"steps": STEPS, "torch_warns_at": dict(warned), "seen": dict(seen.at), "ops_in_all": seen.ops}
