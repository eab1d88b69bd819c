"""Methods that propose a search's configs, by name, and the choice among them where the user leaves it open.

Nothing here imports Optuna: the command line reads the names.
"""

from __future__ import annotations

from collections.abc import Mapping

BY_ITSELF, GP, TPE, TPE_UNIFORM, RANDOM = "auto", "gp", "tpe", "tpe-uniform", "random"
METHODS: Mapping[str, str] = {
    BY_ITSELF: "one of the others, by the space and the number of trials",
    GP: "a Gaussian process; first points near the base",
    TPE: "tree-structured Parzen estimators; first points near the base",
    TPE_UNIFORM: "tree-structured Parzen estimators; random first points",  # also of campaigns that keep no method
    RANDOM: "random points",
}
FEWEST_TRIALS = 50  # of a search, below which the Gaussian process is not shown to be better
MOST_TRIALS = 2_000  # of a search, beyond which ``auto`` leaves the Gaussian process, whose asks grow with the rows


def chosen(asked: str | None, num_objectives: int, trials: int) -> str:
    """The method of a search, for what a user asks (None is ``auto``); a ValueError where it cannot search so.

    Chosen with ``benchmarks.surrogate.compare`` on 1,500 recorded trainings: docs/samplers.md. In searches of 24 trials
    that are stopped early the Gaussian process is better where trees play the trainings, but not where a smooth model
    does, and it trains for longer.
    """
    if asked in (None, BY_ITSELF):
        return GP if num_objectives == 1 and FEWEST_TRIALS <= trials <= MOST_TRIALS else TPE_UNIFORM
    if asked == GP and num_objectives > 1:
        raise ValueError(f"--sampler {GP} minimises one objective, not {num_objectives}: take {TPE}")
    assert asked in METHODS, asked
    return asked


def described(method: str | None) -> str:
    """The line of a plan."""
    assert method is not None, "it is settled"
    return f"sampler: {method}, {METHODS[method]}"


def use_of_prior(method: str | None) -> str:
    """Say what a method does with results of other campaigns."""
    if method == GP:
        return "as a trend and lengths of its model, dropped where the trials here contradict them"
    return "the best are tried first, the others shown to the sampler and forgotten as trials end"
