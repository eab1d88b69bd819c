"""The section ``shared``: the measurement by which ``--gpu-fraction auto`` chooses, and what it would choose."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial

from benchmarks.gpu.context import Context
from benchmarks.gpu.figures import Figures, attempt
from benchmarks.gpu.golf import golf
from tuner.cluster.placement import MOST_SHARING
from tuner.cluster.sharing import most_an_hour
from tuner.plan.side_by_side import SHORT_RUN_SECONDS, ShortRun, speed_of

SCALES, QUICK_SCALES = ("proxy", "full"), ("proxy",)
QUICK_SECONDS, QUICK_SHARING = 0.5, 2


def shared(context: Context) -> Figures:
    """Steps a second of parameter golf's trials side by side, at each scale, as far as more of them pay."""
    return {scale: attempt(_scale, context, scale) for scale in (QUICK_SCALES if context.quick else SCALES)}


def _scale(context: Context, scale: str) -> Figures:
    seconds = QUICK_SECONDS if context.quick else SHORT_RUN_SECONDS
    measure = partial(speed_of, ShortRun(golf(context, scale), on_gpu=context.cuda, seconds=seconds))
    alone = measure(1)
    if alone is None:
        raise ValueError("a short run of the base did not train")
    trials, found = most_an_hour(measure, alone, QUICK_SHARING if context.quick else MOST_SHARING)
    return {"chosen": trials, "measured": [asdict(each) for each in found]}
