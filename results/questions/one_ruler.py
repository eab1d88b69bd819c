"""Trials that ended at different moments on one ruler: the value at the end, predicted where a trial was stopped.

Early stopping leaves most trials with a value at a rung only. Those that went on teach what a value at one rung means
at the next: a straight line, by least squares. What goes on is chosen by its value at that rung, which is what the line
predicts from, so the choice does not bend it; a line straight from the first rung to the end would be bent by the
choices between.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from terminal.counted import counted

from results.statistics.leaderboard import searched
from results.store.frames import Results
from results.store.row_parts import on_the_way

FEWEST_THERE = 5  # trials that must have come to a rung, or to the end, before values are predicted there
SLOPE_TRIALS = 2.0  # what a slope of 1 (a lead stays as it is) counts for beside the trials that teach the line
WORST = ("diverged", "plateaued")  # ends for which the config is to blame: worse than any value
UNLIKE = ("infeasible", "crashed")  # ends that say nothing of how good a config is


@dataclass(frozen=True)
class Ruler:
    """The search's trials that can be compared, in the order in which they began."""

    trials: pd.DataFrame  # their rows
    values: np.ndarray  # (trials,): the objective at ``at``; infinity where the config is to blame that there is none
    spread: np.ndarray  # (trials,): standard deviation of the prediction, 0 where it was measured
    at: str  # the moment that all are compared at, in words
    unit: str = ""
    measured: int = 0  # trials whose value there was measured
    at_the_end: int = 0  # trials whose value at the end was
    left_out: Mapping[str, int] = field(default_factory=dict)  # why -> trials
    seen: np.ndarray = field(default_factory=lambda: np.zeros((0, 1)))  # (trials, moments): all measured, NaN where not
    parts: np.ndarray = field(
        default_factory=lambda: np.ones(1)
    )  # (moments,): of the way to the last one, which is ``at``

    def __len__(self) -> int:
        return len(self.values)

    @cached_property
    def _predicts(self) -> bool:
        return bool((self.spread > 0).any())

    @property
    def about(self) -> str:
        """Describe in one line what is compared, and which trials are not."""
        finite = int(np.isfinite(self.values).sum())
        said = f"{counted(len(self), 'trial')} at {self.at}: {self.measured} measured"
        if (predicted := finite - self.measured) > 0:
            said += f", {predicted} predicted from {'its' if predicted == 1 else 'their'} last rung"
        if finite < len(self):
            said += f", {len(self) - finite} diverged (counted as the worst)"
        left = ", ".join(f"{number} {why}" for why, number in self.left_out.items())
        return f"{said}; left out: {left}" if left else said

    def drawn(self, random: np.random.Generator) -> np.ndarray:
        """The values with each prediction drawn from its spread."""
        drawn = random.standard_normal(len(self))  # also where nothing is predicted: what is drawn next stays the same
        return (
            np.where(self.spread > 0, self.values + self.spread * drawn, self.values) if self._predicts else self.values
        )


def one_ruler(trials: pd.DataFrame, reports: pd.DataFrame) -> Ruler:
    """The trials of a search on one ruler; replayed runs and runs after the search are none of it."""
    rows = searched(trials)
    if "recorded_id" in rows:
        rows = rows[rows["recorded_id"].isna()]
    rows = rows.sort_values("number", ignore_index=True)
    rungs = _rungs(rows, reports)
    at = _target(rungs)
    values, spread, measured = _predicted(rungs, at)
    worst = rows["status"].isin(WORST).to_numpy()
    values = np.where(worst, math.inf, values)
    unlike = rows["status"].isin(UNLIKE).to_numpy()
    known = ~np.isnan(values) & ~unlike
    left = {status: int((rows["status"] == status).sum()) for status in UNLIKE}
    left["without a value at a rung yet"] = int((np.isnan(values) & ~unlike).sum())
    unit = next(iter(rows["budget_unit"].dropna()), "") if "budget_unit" in rows else ""
    moment = "the end" if at == rungs.shape[1] - 1 else f"{rungs.columns[at]:.10g} {unit}".strip()
    return Ruler(
        rows[known].reset_index(drop=True),
        values[known],
        spread[known],
        moment,
        unit,
        int((measured & known & ~worst).sum()),
        int(rungs.iloc[:, -1].notna().sum()),
        {why: number for why, number in left.items() if number},
        np.where((worst[:, None]) & (np.arange(at + 1) == at), math.inf, rungs.to_numpy(dtype=float)[:, : at + 1])[
            known
        ],
        _parts(rows, rungs.columns.to_numpy(dtype=float)[: at + 1]),
    )


def ruler_of(results: Results) -> Ruler:
    """The trials of a campaign on one ruler, worked out once for all questions."""
    trials = results.trials.drop(columns="config", errors="ignore")  # a long text that no question of it looks at
    found: Ruler = results.once("ruler", lambda: one_ruler(trials, results.reports))
    return found


def _parts(rows: pd.DataFrame, moments: np.ndarray) -> np.ndarray:
    """Return how far along the way to the last of these moments each is; of unknown budgets, by their order."""
    budget = float(rows["budget"].astype("float64").median()) if "budget" in rows and len(rows) else math.nan
    places = np.minimum(moments, budget)
    if not np.isfinite(places).all() or (places <= 0).any():
        places = np.arange(1.0, len(moments) + 1)
    found: np.ndarray = places / places[-1]
    return found


def _rungs(rows: pd.DataFrame, reports: pd.DataFrame) -> pd.DataFrame:
    """(trials, rungs and the end): each trial's value there, NaN where it has none."""
    end = rows["value"].astype("float64").where(rows["status"] == "completed").to_numpy()
    table = pd.DataFrame({math.inf: end})
    if rows.empty or reports.empty:
        return table
    objective = on_the_way(str(rows["objective"].iloc[0]))
    own = reports["reported_value"] if "reported_value" in reports else pd.Series(np.nan, index=reports.index)
    known = reports[objective] if objective in reports else pd.Series(np.nan, index=reports.index)
    found = reports.assign(_value=own.astype("float64").fillna(known.astype("float64")))
    found = found[found["milestone"].notna() & np.isfinite(found["_value"])]
    found = found[found["key"].isin(rows["key"])].drop_duplicates(["key", "milestone"], keep="last")
    for milestone, members in found.groupby("milestone"):
        if len(members) >= FEWEST_THERE:  # others are moments of few
            table[float(milestone)] = rows["key"].map(members.set_index("key")["_value"]).to_numpy(dtype=float)
    return table[sorted(table.columns)]


def _target(rungs: pd.DataFrame) -> int:
    """The latest moment that enough trials have come to, by its place among the columns; the end where none is."""
    enough = [place for place, name in enumerate(rungs) if rungs[name].notna().sum() >= FEWEST_THERE]
    return max(enough, default=rungs.shape[1] - 1)


@dataclass(frozen=True)
class _Line:
    """Line from the values at one rung to those at the next one."""

    slope: float
    here: float  # mean at the one
    there: float  # mean at the next
    sd: float  # of a single value around the line
    pairs: int
    squares: float  # of the values at the one around their mean

    @classmethod
    def through(cls, here: np.ndarray, there: np.ndarray) -> _Line:
        x, y, pairs = here - here.mean(), there - there.mean(), len(here)
        squares = float(x @ x)
        slope = (float(x @ y) + SLOPE_TRIALS * squares / pairs) / (squares + SLOPE_TRIALS * squares / pairs or 1.0)
        left = y - slope * x
        return cls(slope, here.mean(), there.mean(), math.sqrt(float(left @ left) / (pairs - 2)), pairs, squares)

    def at(self, value: float, variance: float) -> tuple[float, float]:
        """The value expected at the next rung and its variance, for a value here that has one itself."""
        away = value - self.here
        own = self.sd**2 * (1 + 1 / self.pairs + (away**2 / self.squares if self.squares else 0.0))
        return self.there + self.slope * away, self.slope**2 * variance + own


def _predicted(rungs: pd.DataFrame, at: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The values at the column ``at``, the standard deviation of each, and which of them were measured."""
    table = rungs.to_numpy(dtype=float)
    known = ~np.isnan(table)
    values, spread = table[:, at].copy(), np.zeros(len(table))
    lines = {}
    for place in range(at):
        both = known[:, place] & known[:, place + 1]
        if both.sum() >= FEWEST_THERE:
            lines[place] = _Line.through(table[both, place], table[both, place + 1])
    for number in np.flatnonzero(~known[:, at]):
        last = max(np.flatnonzero(known[number, :at]), default=at)
        if last == at or any(place not in lines for place in range(last, at)):
            continue
        value, variance = float(table[number, last]), 0.0
        for place in range(last, at):
            value, variance = lines[place].at(value, variance)
        values[number], spread[number] = value, math.sqrt(variance)
    return values, spread, known[:, at]
