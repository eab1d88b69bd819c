"""Importance of knobs: how much of the differences between trials each of them makes, and what can be told of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from terminal.short import short

from results.questions.components import basis
from results.questions.framed import COUNT, NUMBER, WORDS, YES_NO, framed
from results.questions.knobs import SearchedKnob, active, active_in_the_domain, knobs_of
from results.questions.one_ruler import FEWEST_THERE, Ruler, ruler_of
from results.questions.posterior import posterior
from results.questions.readable import Readable
from results.store.frames import Results

CAN_TELL, CANNOT_TELL = "can tell", "cannot tell"
FEWEST_TRIALS = 8  # to be compared, before anything is said
MOST_TRIALS = 200  # that the model is fitted to: of more, an even sample
LEAST_SHARE = 0.01  # of the variance, below which a knob is said to do nothing
LEVEL = 0.05  # up to which chance of that a knob is said to matter
HOLDS = 0.95  # of the intervals hold the true part: what is said of them wherever they are shown
ENDS = (0.025, 0.975)  # quantiles of the draws that an interval begins with. The truth lies beyond them too often, and
# mostly above: a search's trials lie where it is good, and say little of what a knob does elsewhere. So the distance of
# each end from the middle is made longer by these parts of it, chosen with the benchmark on seeds that its table does
# not use (1000 and up).
SHARE_INTERVAL = f"{100 * HOLDS:.0f} % interval"
LONGER_BELOW, LONGER_ABOVE = 0.3, 1.25
FENCE = 3.0  # interquartile ranges above the upper quartile: what lies beyond (Tukey's "far out") counts as there

_TYPES = {
    "knob": WORDS, "importance": NUMBER, "low": NUMBER, "high": NUMBER, "trials": COUNT, "chance": NUMBER,
    "can_tell": YES_NO, "verdict": WORDS, "scale": WORDS, "condition": WORDS, "reason": WORDS,
}  # fmt: skip


def importance(campaign: Readable) -> pd.DataFrame:
    """Which of my knobs matter? A row a knob, the most important first.

    ``importance`` is the part of the variance of the objective, over the knob's domain, that the knob makes, as is
    expected after the trials: what its own curve explains, and half of what it explains together with each other knob
    (Shapley effects). All knobs' parts and ``attrs["unexplained"]`` add up to 1. ``low`` and ``high`` are its interval:
    ``attrs["holds"]`` of them hold the true part, of knobs that matter. ``chance`` is how likely it is, after the
    trials, that the knob makes less than 1 % (posterior.py). ``verdict`` is "can tell" up to a chance of 5 %, else
    "cannot tell", which is what 24 trials mostly say. ``trials`` are those in which the knob is active, as
    ``condition`` has it: only they say anything of it. ``reason`` says why nothing can be said at all.

    It is about one moment, the end where enough came so far; those that were stopped say of it what their values at the
    rungs do. Those that diverged count as the worst; ``attrs["about"]`` has the numbers, and what is left out. Of two
    objectives it is the first. Empty where nothing is searched, as in a replay.
    """
    results = campaign.read()
    found: pd.DataFrame = results.once("importance", lambda: _importance(results))
    return found.copy()


def _importance(results: Results) -> pd.DataFrame:
    knobs = knobs_of(results.campaign, results.trials)
    ruler = ruler_of(results)
    if results.campaign.get("replay") is not None or not knobs:
        return _frame([], ruler, None)
    live = active(knobs, ruler.trials)
    places = {knob.path: knob.places(ruler.trials[knob.path]) for knob in knobs}
    here = {path: found & np.isfinite(places[path]) for path, found in live.items()}
    why = {knob.path: _nothing_to_tell(knob, ruler, places[knob.path][here[knob.path]]) for knob in knobs}
    judged = [knob for knob in knobs if not why[knob.path]]
    told = _told(ruler, judged, places, here, knobs) if judged else None
    rows = []
    for knob in knobs:
        number = judged.index(knob) if knob in judged else None
        rows.append(_row(knob, int(here[knob.path].sum()), why[knob.path], told, number))
    return _frame(rows, ruler, told)


@dataclass(frozen=True)
class _Told:
    """Parts of the variance that each knob is believed to make."""

    shares: np.ndarray
    low: np.ndarray
    high: np.ndarray
    chance: np.ndarray
    over: int  # trials that lie beyond the fence


def _told(
    ruler: Ruler,
    knobs: Sequence[SearchedKnob],
    places: dict[str, np.ndarray],
    here: dict[str, np.ndarray],
    of_space: Sequence[SearchedKnob],
) -> _Told:
    random = np.random.default_rng(0)  # the same rows, the same answer
    chosen = np.arange(len(ruler))
    if len(ruler) > MOST_TRIALS:
        chosen = np.sort(random.choice(len(ruler), MOST_TRIALS, replace=False))
    domain = active_in_the_domain(of_space)[:, [of_space.index(knob) for knob in knobs]]
    found = basis(knobs, [places[k.path][chosen] for k in knobs], [here[k.path][chosen] for k in knobs], domain)
    fences = np.array([_fence(values) for values in ruler.seen.T])
    seen = np.minimum(ruler.seen, fences)[chosen]  # NaN stays
    shares = posterior(found, seen, ruler.parts, random).shares(found)
    middle = shares.mean(axis=0)
    low, high = np.quantile(shares, ENDS, axis=0)
    return _Told(
        middle,
        np.clip(low - LONGER_BELOW * (middle - low), 0.0, middle),
        np.clip(high + LONGER_ABOVE * (high - middle), middle, 1.0),
        (shares < LEAST_SHARE).mean(axis=0),
        int((ruler.values > _fence(ruler.values)).sum()),
    )


def _fence(values: np.ndarray) -> float:
    """The value that the worst ones count as, those that diverged too: one bad trial must not outweigh all others."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return math.inf
    lower, upper = np.quantile(finite, [0.25, 0.75])
    return float(upper + FENCE * ((upper - lower) or np.ptp(finite) or 1.0))


def _nothing_to_tell(knob: SearchedKnob, ruler: Ruler, places: np.ndarray) -> str:
    """Say why nothing can be said of a knob; empty where the model may be asked."""
    if len(ruler) < FEWEST_TRIALS:
        return f"{len(ruler)} of at least {FEWEST_TRIALS} trials can be compared"
    if np.isfinite(ruler.values).sum() < FEWEST_THERE:
        return f"{int(np.isfinite(ruler.values).sum())} of at least {FEWEST_THERE} trials have a value"
    if len(places) < FEWEST_THERE:
        return f"active in {len(places)} of at least {FEWEST_THERE} trials"
    if len(np.unique(places)) < 2:
        return "it has had one value only"
    return ""


def _row(knob: SearchedKnob, trials: int, why: str, told: _Told | None, number: int | None) -> dict[str, object]:
    row: dict[str, object] = {
        "knob": knob.path,
        "trials": trials,
        "can_tell": False,
        "verdict": CANNOT_TELL,
        "scale": knob.kind,
        "condition": condition(knob),
        "reason": why,
    }
    if told is not None and number is not None:
        can_tell = bool(told.chance[number] <= LEVEL)
        row |= {
            "importance": float(told.shares[number]),
            "low": float(told.low[number]),
            "high": float(told.high[number]),
            "chance": float(told.chance[number]),
            "can_tell": can_tell,
            "verdict": CAN_TELL if can_tell else CANNOT_TELL,
        }
    return row


def condition(knob: SearchedKnob) -> str:
    """Describe the values of other knobs under which it is active; empty where it always is."""
    return " and ".join(f"{path}={'|'.join(short(v) for v in labels)}" for path, labels in (knob.when or {}).items())


def _frame(rows: Sequence[dict[str, object]], ruler: Ruler, told: _Told | None) -> pd.DataFrame:
    frame = framed(rows, _TYPES).sort_values(["importance", "knob"], ascending=[False, True], ignore_index=True)
    frame.attrs = {
        "about": ruler.about,
        "holds": HOLDS,
        "unexplained": 1.0 if told is None else 1.0 - float(told.shares.sum()),
        "over_the_fence": 0 if told is None else told.over,
    }
    return frame
