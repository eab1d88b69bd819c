"""Samplers of Optuna that a search proposes by, made from the name of its method and a seed."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

import optuna

from search_spaces.space import Space
from trainable.seeds import derived
from tuner.campaign.trial_end import TrialEnd
from tuner.proposals.bounded_history import BoundedTPE
from tuner.proposals.first_points import STARTUP_TRIALS
from tuner.proposals.warm_start import Point
from tuner.search_methods import GP, RANDOM, TPE, TPE_UNIFORM


def made(
    method: str,
    space: Space,
    seed: int,
    begun: int,
    replicates: Sequence[TrialEnd] = (),
    points: Sequence[Point] = (),
) -> optuna.samplers.BaseSampler:
    """The sampler of a search that starts with ``begun`` trials: one seed for all starts would repeat its draws.

    ``replicates`` are ends on other seeds, which the Gaussian process knows the noise from; ``points`` are results of
    other campaigns, which are a trend of its model.
    """
    if method == GP:
        from tuner.proposals.model.gp_sampler import GaussianProcessSampler  # with torch, which no other needs

        return GaussianProcessSampler(space, seed, begun, replicates, points)
    return _MAKERS[method](derived(seed, "search", begun))


def made_after_a_prior(method: str, seed: int, begun: int) -> Callable[[int], optuna.samplers.BaseSampler]:
    """A function that gives the sampler of Optuna's own for the n-th question of a search that starts from a prior."""
    return lambda number: _MAKERS[method](derived(seed, "point after a prior", begun, number))


def random_sampler(seed: int) -> optuna.samplers.BaseSampler:
    """Optuna's random search."""
    return optuna.samplers.RandomSampler(seed=seed)


def tpe(seed: int, kind: type[optuna.samplers.TPESampler] = BoundedTPE) -> optuna.samplers.BaseSampler:
    """Optuna's TPE over all knobs at once, with a bounded view of the trials; ``kind`` may be the one without a bound.

    Chosen with ``benchmarks.search_efficiency`` (ASHA, 4 slots; mean regret at 15, 20, 30 trials' compute, 40 seeds).
    On 130 random parameter_golf configs (results/recorded/golf.jsonl): random points .0192 .0164 .0109; TPE after 8 of
    them .0284 .0219 .0108, after 16 .0178 .0148 .0088, after 24 .0188 .0149 .0091. On the Shakespeare factorial: .0318
    .0235 .0123; .0261 .0125 .0090; .0276 .0139 .0056; .0299 .0168 .0069. Each knob alone (after 8) is level with all at
    once. To tell what ASHA stopped as COMPLETE, by its value and the median drop from its rung to the end, is level
    with PRUNED: .0184 .0150 .0077 and .0298 .0134 .0062. OptunaHub's AutoSampler is TPE in such spaces, over all knobs
    without groups, after 10: .0263 .0214 .0123 and .0254 .0148 .0092.

    These tables have rows of which the nearest is looked up, and no failures: a model cannot show there what it knows
    (a GP was level on them). ``benchmarks.surrogate.compare`` has neither fault: search_methods.py.
    """
    with warnings.catch_warnings():
        # Group decomposition is what TPE needs for conditional knobs; Optuna marks it experimental.
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return kind(seed=seed, n_startup_trials=STARTUP_TRIALS, multivariate=True, group=True, constant_liar=True)


_MAKERS: dict[str, Callable[[int], optuna.samplers.BaseSampler]] = {
    TPE: tpe,
    TPE_UNIFORM: tpe,
    RANDOM: random_sampler,
}
