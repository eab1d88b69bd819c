"""Importance of knobs: how much of the differences between trials each of them makes, and what can be told of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from terminal.short import short

from results.questions.components import Basis, Fit, basis, fit_components
from results.questions.framed import COUNT, NUMBER, WORDS, YES_NO, framed
from results.questions.knobs import SearchedKnob, active, knobs_of
from results.questions.one_ruler import FEWEST_THERE, Ruler, one_ruler
from results.questions.permutations import beside_the_others, chances
from results.questions.readable import Readable
from results.statistics.leaderboard import CONFIDENCE

CAN_TELL, CANNOT_TELL = "can tell", "cannot tell"
FEWEST_TRIALS = 8  # to be compared, before anything is said
MOST_TRIALS = 200  # that the model is fitted to: of more, an even sample
DRAWS = 100  # resampled campaigns for an interval, and
DRAWS_OF_MANY, MANY = 40, 120  # fewer from so many trials on
STEPS_OF_A_DRAW = 20
AT_ONCE = 2_000_000  # numbers of a batch of draws
PERMUTATIONS = 999
LEVEL = 0.05  # up to which chance a knob is said to matter, and
LEVEL_BESIDE_OTHERS = 0.1  # up to which beside what the others explain, which confounds a search's trials
FENCE = 3.0  # interquartile ranges above the upper quartile: what lies beyond (Tukey's "far out") counts as there

_TYPES = {
    "knob": WORDS, "importance": NUMBER, "low": NUMBER, "high": NUMBER, "trials": COUNT, "chance": NUMBER,
    "chance_beside_others": NUMBER, "can_tell": YES_NO, "verdict": WORDS, "scale": WORDS, "condition": WORDS,
    "reason": WORDS,
}  # fmt: skip


def importance(campaign: Readable) -> pd.DataFrame:
    """Which of my knobs matter? A row a knob, the most important first.

    ``importance`` is the part of the variance of the objective, over the knob's domain, that the knob makes: what its
    own curve explains, and half of what it explains together with each other knob. All knobs' parts and
    ``attrs["unexplained"]`` add up to 1. ``low`` and ``high`` hold it with 95 % (trials resampled, ends that were
    predicted drawn anew). ``chance`` is the part of campaigns in which some knob would seem to matter as much if none
    did. ``verdict`` is "can tell" up to 5 %, where the knob is also missed beside the others (permutations.py), else
    "cannot tell", which is what 24 trials mostly say. ``trials`` are those in which the knob is active, as
    ``condition`` has it: only they say anything of it. ``reason`` says why nothing can be said at all.

    All trials are compared at one moment, the end where enough came so far, and those that were stopped by the end that
    their last rung predicts (one_ruler.py). Those that diverged count as the worst; ``attrs["about"]`` has the
    numbers, and what is left out. Of two objectives it is the first. Empty where nothing is searched, as in a replay.
    """
    results = campaign.read()
    knobs = knobs_of(results.campaign, results.trials)
    ruler = one_ruler(results.trials, results.reports)
    if results.campaign.get("replay") is not None or not knobs:
        return _frame([], ruler, None)
    live = active(knobs, ruler.trials)
    places = {knob.path: knob.places(ruler.trials[knob.path]) for knob in knobs}
    here = {path: found & np.isfinite(places[path]) for path, found in live.items()}
    why = {knob.path: _nothing_to_tell(knob, ruler, places[knob.path][here[knob.path]]) for knob in knobs}
    judged = [knob for knob in knobs if not why[knob.path]]
    told = _told(ruler, judged, places, here) if judged else None
    rows = []
    for knob in knobs:
        number = judged.index(knob) if knob in judged else None
        rows.append(_row(knob, int(here[knob.path].sum()), why[knob.path], told, number))
    return _frame(rows, ruler, told)


@dataclass(frozen=True)
class _Told:
    """Shares that the model gives to each knob."""

    shares: np.ndarray
    low: np.ndarray
    high: np.ndarray
    chance: np.ndarray
    beside_others: np.ndarray
    unexplained: float
    over: int  # trials that lie beyond the fence


def _told(
    ruler: Ruler, knobs: Sequence[SearchedKnob], places: dict[str, np.ndarray], here: dict[str, np.ndarray]
) -> _Told:
    random = np.random.default_rng(0)  # the same rows, the same answer
    chosen = np.arange(len(ruler))
    if len(ruler) > MOST_TRIALS:
        chosen = np.sort(random.choice(len(ruler), MOST_TRIALS, replace=False))
    trials = len(chosen)
    found = basis(knobs, [places[k.path][chosen] for k in knobs], [here[k.path][chosen] for k in knobs])
    fence = _fence(ruler.values)
    draws = DRAWS if trials < MANY else DRAWS_OF_MANY
    drawn = np.stack([np.minimum(ruler.drawn(random), fence)[chosen] for _ in range(draws)])
    values = drawn.mean(axis=0)  # of a prediction what is expected of it beneath the fence
    known = ruler.spread[chosen] ** 2
    once = fit_components(found, values[None], known, np.ones((1, trials)))
    shares = once.shares(found)[0]
    counts = random.multinomial(trials, np.full(trials, 1 / trials), size=draws).astype(float)
    resampled = _resampled(found, drawn, known, counts, once)
    low, high = np.quantile(resampled, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], axis=0)
    return _Told(
        shares,
        np.minimum(low, shares),
        np.maximum(high, shares),
        chances(found, values, random, PERMUTATIONS, LEVEL),
        beside_the_others(found, values, known, once, random, PERMUTATIONS),
        1.0 - float(shares.sum()),
        int((ruler.values > fence).sum()),
    )


def _resampled(found: Basis, drawn: np.ndarray, known: np.ndarray, counts: np.ndarray, once: Fit) -> np.ndarray:
    """(draws, knobs): the shares in resampled campaigns, a few at a time where they are large."""
    parts = np.array_split(np.arange(len(drawn)), max(1, len(drawn) * found.features.size // AT_ONCE))
    return np.vstack(
        [fit_components(found, drawn[p], known, counts[p], once, STEPS_OF_A_DRAW).shares(found) for p in parts]
    )


def _fence(values: np.ndarray) -> float:
    """The value that the worst ones count as, those that diverged too: one bad trial must not outweigh all others."""
    finite = values[np.isfinite(values)]
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
        can_tell = bool(told.chance[number] <= LEVEL and told.beside_others[number] <= LEVEL_BESIDE_OTHERS)
        row |= {
            "importance": float(told.shares[number]),
            "low": float(told.low[number]),
            "high": float(told.high[number]),
            "chance": float(told.chance[number]),
            "chance_beside_others": float(told.beside_others[number]),
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
        "unexplained": 1.0 if told is None else told.unexplained,
        "over_the_fence": 0 if told is None else told.over,
    }
    return frame
