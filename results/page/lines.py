"""The courses of trials, thinned to what a page can hold: the objective at each report, and the training curves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from results.page.plain import json_number, json_numbers, shown_text
from results.page.smoothing import window_of
from results.store.curves import CurveArrays
from results.store.row_types import REPORT_COLUMNS

MOST_VALUES = 600_000  # of all lines together: about 5 MB
MOST_MEASURES = 24  # training curves of different names; more groups of learning rates tell nothing new
MOST_MONITORED = 200_000  # values of those that are measured at some steps only, of all lines together
ENTROPY = "attention_entropy"  # a name for each head of each layer, which are drawn as their mean here
POINTS_OF_A_TRIAL = 500
FEWEST_POINTS = 20
MOST_RUNGS = 8
DIGITS = 5


def courses(
    trials: pd.DataFrame, reports: pd.DataFrame, curves: Mapping[str, CurveArrays], objective: str
) -> dict[str, Any]:
    """The objective of each trial at its reports, and each training curve (loss, gradient norm, learning rates).

    ``axes`` are the steps and tokens at which lines have values, which most trials share; ``of`` gives for each
    measure, by the trial's place in ``trials``, the number of the axis and the values there. ``window`` is the number
    of points to smooth a noisy measure over, 0 for others.
    """
    curves = {key: _with_mean_entropy(curve) for key, curve in curves.items()}
    names = {name for curve in curves.values() for name in curve.values if not name.startswith(f"{ENTROPY}.")}
    found = {objective: (_unit(objective), _reported(reports, objective))} if len(reports) else {}
    for name in sorted(names, key=_first_names)[:MOST_MEASURES]:
        own = {key: curve for key, curve in curves.items() if name in curve.values}
        unit = next(iter(own.values())).units[name]
        lines = {
            key: _Line(curve.steps_of(name), curve.tokens_of(name), curve.values[name]) for key, curve in own.items()
        }
        found[f"{name} (training)" if name == objective else name] = (unit, lines)
    monitored = {name for name in names if any(name in curve.places for curve in curves.values())}
    most = _most_points(MOST_VALUES, [own for name, (_, own) in found.items() if name not in monitored])
    fewer = _most_points(MOST_MONITORED, [own for name, (_, own) in found.items() if name in monitored])
    axes = _Axes()
    places = {key: place for place, key in enumerate(trials["key"])}
    measures = []
    for name, (unit, own_lines) in found.items():
        of = _thinned_lines(own_lines, places, fewer if name in monitored else most, axes)
        is_smooth = name == objective or name.startswith("learning_rate")  # of all validation data; a formula
        window = 0 if is_smooth else window_of(max((len(values) for _, values in of.values()), default=0))
        if of:
            measures.append({"name": shown_text(name), "unit": shown_text(unit), "window": window, "of": of})
    return {"axes": axes.as_json(), "measures": measures}


def _most_points(values: int, lines: Sequence[Mapping[str, _Line]]) -> int:
    """Points that each line may have, so that all have about so many values together."""
    return min(POINTS_OF_A_TRIAL, max(FEWEST_POINTS, values // max(1, sum(map(len, lines)))))


def _with_mean_entropy(curve: CurveArrays) -> CurveArrays:
    """The curve with the mean entropy of its attention over all heads."""
    heads = [name for name in curve.values if name.startswith(f"{ENTROPY}.")]
    if not heads or len({len(curve.values[name]) for name in heads}) > 1:
        return curve
    first, mean = heads[0], np.mean([curve.values[name] for name in heads], axis=0)
    return replace(
        curve,
        values={**curve.values, ENTROPY: mean},
        units={**curve.units, ENTROPY: curve.units[first]},
        places=curve.places | ({ENTROPY: curve.places[first]} if first in curve.places else {}),
    )


@dataclass(frozen=True)
class _Line:
    """Values of a measure of one trial at rising steps."""

    steps: np.ndarray
    tokens: np.ndarray  # NaN where nobody knows
    values: np.ndarray


class _Axes:
    """The steps and tokens of all lines, those that are the same once."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[Any, ...], int] = {}
        self._seen: dict[bytes, int] = {}  # as the numbers were before they were shortened

    def number(self, steps: np.ndarray, tokens: np.ndarray) -> int:
        """The number of the axis with these steps and tokens."""
        steps = steps.astype(float)
        seen = steps.tobytes() + tokens.tobytes()
        if seen not in self._seen:
            known = json_numbers(tokens, 12) if np.isfinite(tokens).all() else []
            axis = (tuple(json_numbers(steps, 12)), tuple(known))
            self._seen[seen] = self._numbers.setdefault(axis, len(self._numbers))
        return self._seen[seen]

    def as_json(self) -> list[list[Any]]:
        return [list(axis) for axis in self._numbers]


def _first_names(name: str) -> tuple[int, str]:
    """The order of measures: the loss, the gradient norm, rates, then whatever else there is."""
    order = ("loss", "gradient_norm", "learning_rate")
    kind = name.partition(".")[0]
    return (order.index(kind) if kind in order else len(order), name)


def _reported(reports: pd.DataFrame, objective: str) -> dict[str, _Line]:
    """The objective of each trial at its reports."""
    table = _measured(reports, objective)
    steps, tokens = table["step"].to_numpy(float), table["tokens"].to_numpy(float, na_value=math.nan)
    values = table["value"].to_numpy(float)
    found = {}
    for key, places in table.groupby("key", sort=False).indices.items():
        rows = np.asarray(places)[np.argsort(steps[places], kind="stable")]
        found[str(key)] = _Line(steps[rows], tokens[rows], values[rows])
    return found


def _thinned_lines(
    lines: Mapping[str, _Line], places: Mapping[str, int], most: int, axes: _Axes
) -> dict[int, list[Any]]:
    """Each trial's line, thinned to ``most`` points: the number of its axis, and its values."""
    found: dict[int, list[Any]] = {}
    kept: dict[int, list[int]] = {}
    for key, line in lines.items():
        count = len(line.steps)
        if count not in kept:
            kept[count] = thinned(count, most)
        at = kept[count]
        number = axes.number(line.steps[at], line.tokens[at])
        if key in places:
            found[places[key]] = [number, json_numbers(line.values[at], DIGITS)]
    return found


def at_rungs(trials: pd.DataFrame, reports: pd.DataFrame, objective: str) -> list[dict[str, Any]]:
    """The objective of every trial at each milestone that many came to, null for those that did not; ascending."""
    ends = trials.set_index("key")["budget"]
    measured = _measured(reports, objective)
    before = measured[measured["milestone"] < measured["key"].map(ends).astype(float)]
    often = before.drop_duplicates(["key", "milestone"])["milestone"].value_counts()
    found = []
    for milestone in sorted(often[often >= max(2, len(trials) / 10)].index[:MOST_RUNGS]):
        there = before[before["milestone"] == milestone].drop_duplicates("key", keep="last").set_index("key")["value"]
        found.append({"rung": json_number(milestone), "values": json_numbers(trials["key"].map(there))})
    return found


def _measured(reports: pd.DataFrame, objective: str) -> pd.DataFrame:
    """The reports that measured the objective, a row a step of each trial: as its last attempt has it."""
    own = reports["reported_value"]  # of a train function of the user's own
    table = reports.assign(value=own if objective not in reports else reports[objective].where(own.isna(), own))
    ordered = table.dropna(subset=["value", "step"]).sort_values(["attempt", "step"], kind="stable")
    return ordered.drop_duplicates(["key", "step"], keep="last")


def thinned(count: int, most: int) -> list[int]:
    """Places of at most ``most`` of ``count`` rows, evenly, the first and the last of them included."""
    if count <= most:
        return list(range(count))
    return sorted({round(place * (count - 1) / (most - 1)) for place in range(most)})


def _unit(objective: str) -> str:
    return next((column.unit for column in REPORT_COLUMNS if column.name == objective), "")


def judged_at(campaign: Mapping[str, Any], trials: pd.DataFrame, reports: pd.DataFrame) -> list[float | int | None]:
    """The rungs at which trials were judged, ascending: milestones before a trial's end; none where nothing stops."""
    if campaign.get("stopper", "none") == "none" and trials["rung"].isna().all():
        return []
    ends = trials.set_index("key")["budget"]
    milestones = reports[["key", "milestone"]].dropna()
    before = milestones["milestone"] < milestones["key"].map(ends).astype(float)
    return json_numbers(sorted({*milestones.loc[before, "milestone"], *trials["rung"].dropna()}))
