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

from tuner.proposals.coordinates import Coordinates

ROOM_BELOW = 0.25  # of the better half's range, by which the floor lies below the best
WORST = 2.0  # of the middle half's upper range, beyond which a value is only bad
PAIRS = 4.0  # finished trials that the prior of a rung counts as: its differences say nothing of those at the end
TOLD_SECONDS = "train_seconds"  # of a finished trial, among its attributes


@dataclass(frozen=True)
class Observations:
    """Rows of coordinates of a study's trials, by what they tell."""

    valued: np.ndarray  # (n, knobs): trials with a value, or a guess at one
    values: np.ndarray  # (n,) warped, mean 0 and variance 1 over the finished ones; lower is better
    extra: np.ndarray  # (n,) variance of a guess beside the common noise; 0 of a measured end
    allowed: np.ndarray  # (n,) truth: finished and within the limits, so that it may win
    tried: np.ndarray  # (t, knobs): trials that tell what trains
    trains: np.ndarray  # (t,) 1 or -1
    timed: np.ndarray  # (s, knobs): finished trials with their seconds
    log_seconds: np.ndarray  # (s,)
    running: np.ndarray  # (r, knobs)
    known: np.ndarray  # (all, knobs): nothing of these is worth a proposal


def observed(trials: Sequence[FrozenTrial], coordinates: Coordinates) -> Observations | None:
    """The data that trials give; None where none has a value."""
    finished = [t for t in trials if t.state == TrialState.COMPLETE]
    if not finished:
        return None
    stopped = [t for t in trials if t.state == TrialState.PRUNED and t.intermediate_values and not fails(t)]
    pruned = [t for t in trials if t.state == TrialState.PRUNED and (fails(t) or not t.intermediate_values)]
    guesses = {t.number: guess for t in stopped if (guess := _guess(t, finished)) is not None}
    stopped = [t for t in stopped if t.number in guesses]
    ends = np.array([float(t.values[0]) for t in finished])
    values, slope = warped(ends, np.array([*ends, *(guesses[t.number][0] for t in stopped)]))
    spreads = np.array([guesses[t.number][1] for t in stopped])
    extra = np.concatenate([np.zeros(len(finished)), (spreads * slope[len(finished) :]) ** 2])
    tried = [*finished, *stopped, *pruned]
    timed = [t for t in finished if t.user_attrs.get(TOLD_SECONDS, 0) > 0]
    return Observations(
        coordinates.rows([t.params for t in (*finished, *stopped)]),
        values,
        extra,
        np.array([t.state == TrialState.COMPLETE and not fails(t) for t in (*finished, *stopped)]),
        coordinates.rows([t.params for t in tried]),
        np.array([-1.0 if fails(t) or t in pruned else 1.0 for t in tried]),
        coordinates.rows([t.params for t in timed]),
        np.log([t.user_attrs[TOLD_SECONDS] for t in timed]),
        coordinates.rows([t.params for t in trials if t.state == TrialState.RUNNING and t.params]),
        coordinates.rows([t.params for t in trials if t.params]),
    )


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


def _guess(trial: FrozenTrial, finished: Sequence[FrozenTrial]) -> tuple[float, float] | None:
    """The end that a stopped trial would have had, and its standard deviation; None where nobody finished its rung.

    A regression of ends on values at its last rung over the finished trials. Its prior counts as PAIRS of them, and
    says that a difference at the rung comes back whole, give or take the spread of the ends.
    """
    rung = max(trial.intermediate_values)
    there = [t for t in finished if rung in t.intermediate_values]
    if not there:
        return None
    at_rung = np.array([t.intermediate_values[rung] for t in there])
    ends = np.array([float(t.values[0]) for t in there])
    spread = float(np.std([float(t.values[0]) for t in finished])) or abs(float(ends[0])) * 0.01
    centred = at_rung - at_rung.mean()
    weight = PAIRS * float(centred.var()) + 1e-12
    slope = max(0.0, float(weight + centred @ (ends - ends.mean())) / float(weight + centred @ centred))
    residuals = ends - ends.mean() - slope * centred
    variance = (PAIRS * spread**2 + float(residuals @ residuals)) / (PAIRS + len(there))
    return float(ends.mean() + slope * (trial.intermediate_values[rung] - at_rung.mean())), float(np.sqrt(variance))
