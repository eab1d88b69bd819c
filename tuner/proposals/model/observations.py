"""Trials of a study as a model's data: values, their own noise, failures, seconds, and what still runs.

A value is taken as the logarithm of its distance to a floor just below the best, so that differences among good configs
count as much as those among bad ones, and standardised. A trial that was stopped early tells what its end is likely to
be, from what finished trials had at the same rung and at their end, as an observation with the noise of that guess.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from tuner.campaign.trial_end import TrialEnd
from tuner.proposals.coordinates import Coordinates
from tuner.proposals.model.stopped import RungRegressions

ROOM_BELOW = 0.25  # of the better half's range, by which the floor lies below the best
WORST = 2.0  # of the middle half's upper range, beyond which a value is only bad
TOLD_SECONDS = "train_seconds"  # of a finished trial, among its attributes


@dataclass(frozen=True)
class Observations:
    """Rows of coordinates of a study's trials, by what they tell."""

    valued: np.ndarray  # (n, knobs): trials with a value, replicates, and trials with a guess at a value
    values: np.ndarray  # (n,) warped, mean 0 and variance 1 over the finished ones; lower is better
    extra: np.ndarray  # (n,) variance of a guess beside the common noise; 0 of a measured end
    allowed: np.ndarray  # (n,) truth: finished and within the limits, so that it may win
    tried: np.ndarray  # (t, knobs): trials that tell what trains
    trains: np.ndarray  # (t,) 1 or -1
    timed: np.ndarray  # (s, knobs): finished trials with their seconds
    log_seconds: np.ndarray  # (s,)
    failed_seconds: np.ndarray  # (f,) of trials that failed and have told theirs
    running: np.ndarray  # (r, knobs)
    known: np.ndarray  # (all, knobs): nothing of these is worth a proposal


def observed(
    trials: Sequence[FrozenTrial],
    coordinates: Coordinates,
    replicates: Sequence[TrialEnd] = (),
    same: Sequence[TrialEnd] = (),
) -> Observations | None:
    """The data that trials give; None where none has a value.

    ``replicates`` are ends of configs on other seeds: from them the model knows the noise, and what a lucky end is
    worth. ``same`` are ends that this search could have measured, of a campaign before it: none of them may win here.
    """
    trials = without_earlier_ends(trials)
    finished = [t for t in trials if t.state == TrialState.COMPLETE]
    if not finished:
        return None
    rungs = RungRegressions(finished)
    pruned = [(t, fails(t)) for t in trials if t.state == TrialState.PRUNED]
    guesses = [(t, guess) for t, failed in pruned if not failed and t.intermediate_values and (guess := rungs.guess(t))]
    stopped = [t for t, _ in guesses]
    untrained = [t for t, failed in pruned if failed or not t.intermediate_values]
    again = [(end.values, end.value) for end in (*replicates, *same) if end.value is not None]
    measured = np.array([*rungs.ends, *(end.value for end in same if end.value is not None)])
    told = [*rungs.ends, *(value for _, value in again), *(end for _, (end, _) in guesses)]
    values, slope = warped(measured, np.array(told))
    spreads = np.array([*np.zeros(len(finished) + len(again)), *(spread for _, (_, spread) in guesses)])
    broke = np.array([fails(t) for t in finished])
    seconds = np.array([t.user_attrs.get(TOLD_SECONDS) or np.nan for t in finished])
    rows = coordinates.rows
    ended, on_the_way = (rows([t.params for t in some]) for some in (finished, stopped))
    failures = [t for t in (*finished, *untrained) if fails(t) and TOLD_SECONDS in t.user_attrs]
    return Observations(
        np.concatenate([ended, rows([point for point, _ in again]), on_the_way]),
        values,
        (spreads * slope) ** 2,
        np.array([*~broke, *[False] * (len(again) + len(stopped))]),
        np.concatenate([ended, on_the_way, rows([t.params for t in untrained])]),
        np.array([*np.where(broke, -1.0, 1.0), *[1.0] * len(stopped), *[-1.0] * len(untrained)]),
        ended[seconds > 0],
        np.log(seconds[seconds > 0]),
        np.array([t.user_attrs[TOLD_SECONDS] for t in failures]),
        rows([t.params for t in trials if t.state == TrialState.RUNNING and t.params]),
        rows([t.params for t in trials if t.params]),
    )


def without_earlier_ends(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """The trials without those that were stopped, went on and were told again: of a key the last one counts."""
    last = {t.user_attrs["key"]: t.number for t in trials if "key" in t.user_attrs}
    return [t for t in trials if last.get(t.user_attrs.get("key"), t.number) == t.number]


def fails(trial: FrozenTrial) -> bool:
    """Tell whether a trial broke a limit, or could not be trained."""
    return any(excess > 0 for excess in trial.constraints.values())


def warped(ends: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values on the scale of the model, by what is known of measured ``ends``, and the scale's slope at each."""
    best, middle, upper = ends.min(), np.median(ends), np.quantile(ends, 0.75)
    floor = best - ROOM_BELOW * max(middle - best, 1e-9 * max(1.0, abs(best)))
    ceiling = upper + WORST * (upper - best) + (best - floor)
    logs = np.log(np.clip(ends, None, ceiling) - floor)
    spread = float(logs.std()) or 1.0
    lowest = floor + (best - floor) / 2  # of a guess below all that was measured
    kept = np.clip(values, lowest, ceiling)
    return (np.log(kept - floor) - logs.mean()) / spread, 1 / ((kept - floor) * spread)
