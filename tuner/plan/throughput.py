"""Speed of a model's training on this machine, measured in moments and without data, for plans.

Two speeds are told: the best, which is that of a machine with nothing else to do, and the usual one, the mean while as
many processes train as trials will, and whatever else the machine is busy with now.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from search_spaces.constraints import num_parameters
from trainable.config import TrainConfig
from trainable.runtime import Runtime
from tuner.plan import partners
from tuner.plan.bench import Bench, num_rows, vocab_size

TIMED = 3  # times at least, of which the shortest is the best
TIMED_SECONDS = 1.5  # and for so long at least, of which the mean is the usual one
SLOW_FLOPS_ON_CPU = 10**11  # of a pass: so much takes some seconds a time, which is said before
MOST_FLOPS_ON_CPU = 4 * 10**12  # of the passes that are timed: a minute or so
LARGEST_ON_CPU = 100_000_000  # parameters; beyond it, one pass may take all memory and its time says nothing


@dataclass(frozen=True)
class Speeds:
    """Tokens per second of one of ``together`` processes that train at once, in whole steps without evaluations."""

    best: float
    usual: float
    together: int = 1


def speeds(
    config: TrainConfig, runtime: Runtime, slots: int = 1, timed_seconds: float = TIMED_SECONDS
) -> Speeds | None:
    """The speeds of this model beside ``slots`` - 1 others on a CPU; None where it is too large to be timed here.

    A GPU is timed alone: each trial has its own, and what they share is the work of the cores.
    """
    others = slots - 1 if runtime.device_type == "cpu" and _fits(config) else 0
    with partners.training(config, others) as together:
        return _measured(config, runtime, together + 1, timed_seconds)


def tokens_per_second(config: TrainConfig, runtime: Runtime) -> float | None:
    """The best speed of this model alone; None where it is too large to be timed here."""
    found = speeds(config, runtime)
    return None if found is None else found.best


def _measured(config: TrainConfig, runtime: Runtime, together: int, timed_seconds: float) -> Speeds | None:
    if runtime.device_type == "cpu" and not _fits(config):
        return None
    import torch

    try:
        with Bench(config, runtime) as bench:
            passes, update = (_timed(part, runtime, timed_seconds) for part in (bench.passes, bench.update))
            batch = config.data.batch_tokens
            times = batch / bench.num_tokens
            return Speeds(batch / (passes[0] * times + update[0]), batch / (passes[1] * times + update[1]), together)
    except torch.OutOfMemoryError:
        return None


def takes_long(config: TrainConfig, runtime: Runtime) -> float | None:
    """The operations of a pass that is timed here, where it takes more than moments; else None."""
    slow = runtime.device_type == "cpu" and _fits(config) and _flops(config) > SLOW_FLOPS_ON_CPU
    return _flops(config) if slow else None


def _fits(config: TrainConfig) -> bool:
    """Tell whether a CPU has this model's passes done in a minute or so."""
    return _flops(config) <= MOST_FLOPS_ON_CPU and num_parameters(config, vocab_size(config)) <= LARGEST_ON_CPU


def _flops(config: TrainConfig) -> float:
    """Arithmetic of a pass that is timed on a CPU."""
    tokens = num_rows(config, "cpu") * config.data.seq_len
    return float(tokens * config.model.flops_per_token(vocab_size(config), config.data.seq_len))


def _timed(work: Callable[[], None], runtime: Runtime, timed_seconds: float) -> tuple[float, float]:
    """The shortest and the mean of its times in seconds, the first of which, that warms up, does not count."""
    seconds: list[float] = []
    work()
    while len(seconds) < TIMED or sum(seconds) < timed_seconds:
        runtime.synchronize()
        started = time.perf_counter()
        work()
        runtime.synchronize()
        seconds.append(time.perf_counter() - started)
    return min(seconds), sum(seconds) / len(seconds)
