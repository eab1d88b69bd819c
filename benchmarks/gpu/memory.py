"""The sections ``no_memory`` and ``steps_that_stay``: memory that runs out, and memory that is not given back."""

from __future__ import annotations

import dataclasses
import gc
import traceback
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import torch

from benchmarks.gpu.context import MIB, Context
from benchmarks.gpu.figures import Figures
from benchmarks.gpu.golf import golf, golf_data
from benchmarks.gpu.small import FAMILIES, start, tiny
from benchmarks.gpu.steps import whole_step
from trainable import objective
from trainable.config import Budget, TrainConfig
from trainable.hooks.hook import Step
from trainable.train import train
from tuner.failures import OUT_OF_MEMORY, reason_of

ALLOWED_BYTES = 2**31
STEPS, QUICK_STEPS = 240, 10
LARGE_BATCH_TOKENS = 524_288
KNOWN_ERRORS = (
    "RuntimeError: CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
    "torch.AcceleratorError: CUDA error: out of memory",
    "RuntimeError: CUDA out of memory.",
    "torch._inductor.exc.InductorError: OutOfMemoryError: CUDA out of memory.",
)


def no_memory(context: Context) -> Figures:
    """A trial that needs too much, then a small one in the same process: the error, its row, the memory that stays."""
    with limited(context):
        return _no_memory(context)


@contextmanager
def limited(context: Context) -> Iterator[None]:
    """Limit this process, within the block, to two GiB of the device."""
    if not context.cuda:
        yield
        return
    whole = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction(ALLOWED_BYTES / whole)
    try:
        yield
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)


def too_large() -> TrainConfig:
    """A config that does not fit into two GiB."""
    return tiny(model=dataclasses.replace(FAMILIES["gpt"], model_dim=2048, num_layers=24, num_heads=16))  # type: ignore[call-arg]


def _no_memory(context: Context) -> Figures:
    context.fresh()
    before = context.memory().get("allocated_mib")
    raised, text = _overfilled(context)
    gc.collect()
    after = context.memory().get("allocated_mib")
    found: Figures = {"raised": raised, "allocated_before_mib": before, "after_mib": after}
    found["reserved_after_mib"] = round(torch.cuda.memory_reserved() / MIB) if context.cuda else None
    found["then"] = [report.status for report in train(start(tiny(), context.bf16))][-1]
    found["the row would say"] = reason_of(text)[:160]
    recognised = {f"of {error[:60]!r}": reason_of(error).startswith(OUT_OF_MEMORY) for error in KNOWN_ERRORS}
    return found | recognised


def _overfilled(context: Context) -> tuple[str, str]:
    """The error of a step that does not fit, in short and with its traceback; a ValueError where it does fit."""
    try:
        if not context.cuda:
            raise torch.OutOfMemoryError("made up: CUDA out of memory. Tried to allocate 2.00 GiB.")
        whole_step(start(too_large(), context.bf16))()
    except Exception as error:
        kind = type(error)
        text = "".join(traceback.format_exception(error))
        return f"{kind.__module__}.{kind.__name__}: {str(error)[:160]}", text
    raise ValueError(f"a model that needs more than {ALLOWED_BYTES:,} bytes was trained within them")


def steps_that_stay(context: Context) -> Figures:
    """Steps of a run, each with its batch, that are alive at the same time: a step and its closure are a cycle."""
    steps = QUICK_STEPS if context.quick else STEPS
    config = dataclasses.replace(golf(context, "proxy"), budget=Budget(steps=steps))
    gc.collect()
    before = context.memory().get("allocated_mib")
    count = _Count()
    with mock.patch.object(objective, "Step", count.counted(Step)):
        list(train(start(config, context.bf16, golf_data(context)), milestones=(steps // 4, steps // 2)))
    return {
        "steps": steps,
        "alive_at_most": count.most,
        "allocated_before_mib": before,
        **context.memory(),
        "mib_each_at_524288_tokens": round(2 * 8 * LARGE_BATCH_TOKENS / MIB, 1),
    }


class _Count:
    """Objects of a class that are alive, and the most that were at the same time."""

    def __init__(self) -> None:
        self.alive = self.most = 0

    def counted(self, cls: type[Any]) -> type[Any]:
        """The class, each object of which is counted from its making to its end."""
        count = self

        class Counted(cls):  # type: ignore[misc]
            def __init__(self, *arguments: Any, **fields: Any) -> None:
                super().__init__(*arguments, **fields)
                count.alive += 1
                count.most = max(count.most, count.alive)
                weakref.finalize(self, count.gone)

        return Counted

    def gone(self) -> None:
        self.alive -= 1
