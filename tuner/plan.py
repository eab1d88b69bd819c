"""What a search will cost, before any of it is spent."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from trainable.config import TrainConfig
from trainable.data import known_vocab_size
from trainable.fidelity import BRANCH_FRACTION
from trainable.runtime import Runtime
from trainable.scaling import ratio_tokens
from tuner.early_stopping import REDUCTION, bracket_shares, rungs

TIMED_PASSES = 3


@dataclass(frozen=True)
class Plan:
    """Cost of a search. Tokens and seconds are of one trial; totals are over all of them."""

    trials: int
    slots: int
    rungs: list[float]
    unit: str
    budget: float
    tokens: int | None  # None where the budget does not say
    seconds: float | None
    expected_share: float  # of the full cost, if every rung stops the share that it is made for

    @property
    def total_seconds(self) -> float | None:
        """Wall seconds if no trial is stopped."""
        return None if self.seconds is None else self.seconds * self.trials / self.slots


def plan(
    config: TrainConfig,
    trials: int,
    slots: int,
    stopper: str,
    tokens_per_second: float | None,
    fidelity: str = "truncate",
) -> Plan:
    """The plan of a search whose trials all cost what the base costs."""
    budget, unit = config.budget.amount, config.budget.unit
    tokens = tokens_of(config)
    seconds = config.budget.seconds
    if seconds is None and tokens is not None and tokens_per_second:
        seconds = tokens / tokens_per_second
    milestones = rungs(config.budget) if stopper != "none" else []
    return Plan(
        trials, slots, milestones, unit, budget, tokens, seconds, expected_share(milestones, budget, stopper, fidelity)
    )


def expected_share(milestones: list[float], budget: float, stopper: str = "asha", fidelity: str = "truncate") -> float:
    """Mean compute of a trial, in budgets, if every rung stops its share; the first arrivals cost more."""
    if stopper == "hyperband":
        parts = enumerate(bracket_shares(len(milestones)))
        return sum(part * _share(milestones[first:], budget, REDUCTION, fidelity) for first, part in parts)
    return _share(milestones, budget, 2 if stopper == "median" else REDUCTION, fidelity)


def _share(milestones: list[float], budget: float, reduction: int, fidelity: str) -> float:
    return float(sum(leg / reduction**k for k, leg in enumerate(legs(milestones, budget, fidelity))))


def legs(milestones: list[float], budget: float, fidelity: str) -> list[float]:
    """What a trial trains to each milestone and to its end, in budgets of one trial."""
    found, last = [], 0.0
    for milestone in [*milestones, budget]:
        trained = milestone if fidelity == "complete" else milestone - last
        if fidelity == "branch" and milestone < budget:
            trained += BRANCH_FRACTION * milestone
        found.append(trained / budget)
        last = milestone
    return found


def tokens_of(config: TrainConfig) -> int | None:
    """Training tokens of a whole run, by the first of its limits; None where they cannot be counted beforehand.

    Seconds depend on the machine. FLOPs and tokens a parameter depend on the vocabulary, which shards in a folder bring
    along. An epoch is as long as all the data, which may not be prepared yet and must not be cut to fewer tokens: with
    a limit or a horizon in epochs the answer is None, whatever the other limits say.
    """
    budget, vocab = config.budget, known_vocab_size(config.data)
    if budget.epochs is not None or (config.horizon is not None and config.horizon.epochs is not None):
        return None
    limits = [None if budget.steps is None else budget.steps * config.data.batch_tokens, budget.tokens]
    if budget.flops is not None and vocab is not None:
        limits.append(budget.flops // config.model.flops_per_token(vocab, config.data.seq_len))
    if budget.param_data_ratio is not None and vocab is not None:
        limits.append(ratio_tokens(config.model, vocab, budget.param_data_ratio))
    known = [limit for limit in limits if limit is not None]
    return min(known) if known else None


def measure_tokens_per_second(config: TrainConfig, runtime: Runtime) -> float:
    """Speed of forward and backward passes of this model on random tokens; nothing is updated and no data are read.

    On a CPU one row is enough; an accelerator is given a whole micro-batch. The optimizer's share is not in it.
    """
    threads, vocab = torch.get_num_threads(), known_vocab_size(config.data) or config.data.vocab_size
    rows = config.data.batch_tokens // config.data.seq_len // config.data.grad_accum_steps
    if runtime.device_type == "cpu":
        torch.set_num_threads(1)
        rows = min(rows, max(1, 1024 // config.data.seq_len))
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            network = config.model.build(vocab, config.data.seq_len).to(runtime.device)
            tokens = torch.randint(vocab, (rows, config.data.seq_len), device=runtime.device)
        seconds = []
        for _ in range(1 + TIMED_PASSES):  # the first one warms up
            runtime.synchronize()
            started = time.perf_counter()
            with runtime.autocast():
                logits = network(tokens).float()
            F.cross_entropy(logits.flatten(0, 1), tokens.flatten()).backward()  # type: ignore[no-untyped-call]
            runtime.synchronize()
            seconds.append(time.perf_counter() - started)
        return tokens.numel() / min(seconds[1:])
    finally:
        torch.set_num_threads(threads)
