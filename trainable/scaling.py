"""Budget and batch size from the size of a model: nanochat's rules, as plain functions."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING

from trainable.schedules import Schedule, Warmdown, Warmup
from trainable.shapes import shapes_of

if TYPE_CHECKING:
    from trainable.models.model import Model
    from trainable.networks.network import Network


def scaling_parameters(network: Network) -> int:
    """Matrices of the blocks and the output matrix: what nanochat counts data against (d12 110,100,912 of them)."""
    table = network.embedding if network.head is None else network.head
    return table.weight.numel() + sum(p.numel() for p in network.blocks.parameters() if p.ndim == 2)


@cache  # a depth of 24 takes most of a second, and every trial of a campaign asks
def scaling_parameters_of(model: Model, vocab_size: int) -> int:
    """Count the scaling parameters before the network is built: nothing is allocated."""
    return scaling_parameters(shapes_of(partial(model.build, vocab_size, 1)))


def ratio_tokens(model: Model, vocab_size: int, ratio: float) -> int:
    """Training tokens at ``ratio`` tokens a scaling parameter (nanochat: 12, its campaign 7.5 to 12)."""
    return int(ratio * scaling_parameters_of(model, vocab_size))


def trapezoid(steps: int, warmup_steps: int = 40, warmdown_frac: float = 0.65, min_lr_frac: float = 0.05) -> Schedule:
    """nanochat's schedule of ``steps``: step i of the warm-up has (i + 1) / warmup_steps; the floor is met at the end.

    The warm-down is a part of the whole run, rounded to whole steps as there.
    """
    warmdown_frac = round(warmdown_frac * steps) / steps
    if warmup_steps == 0:
        return Warmdown(warmdown_frac=warmdown_frac, min_lr_frac=min_lr_frac)
    up = (warmup_steps - 1) / steps
    inner = Warmdown(warmdown_frac=warmdown_frac / (1 - up), min_lr_frac=min_lr_frac)
    return Warmup(frac=up, start_frac=1 / warmup_steps, inner=inner)


def warmdown_fraction(schedule: Schedule) -> float | None:
    """The last part of the run in which a trapezoid falls; None for schedules of another shape."""
    if isinstance(schedule, Warmup):
        inner = warmdown_fraction(schedule.inner)
        return None if inner is None else inner * (1 - schedule.frac)
    return min(1.0, schedule.warmdown_frac) if isinstance(schedule, Warmdown) else None
