"""A replayed campaign: what was recorded and what was measured, side by side, each judged by its own noise.

All of it comes from the folder: the trials, and what ``campaign.json`` keeps of the recorded side under ``recorded``
(runs, groups of ids that are one computation, progression, effects).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

import pandas as pd

from results.frames_in_short import short_of_frames
from results.statistics.leaderboard import Correlation, Noise, pooled_noise, rank_correlation, verdict
from results.store.frames import Results

_LOWER = -1.0  # what a step of the progression claims


@dataclass(frozen=True, repr=False)
class Comparison:
    """Answer of :func:`compare`.

    Columns that begin with ``recorded`` are of the log, those with ``measured`` of the replay. A ``difference`` is
    between means of the runs of two computations, a ``verdict`` what it amounts to
    (``results.statistics.leaderboard.verdict``), and null where one side has no score. ``measured`` is the mean of the
    completed trials that are not on the plateau.

    - ``runs``, one row a recorded run, in the campaign's order; differences are from its own base. Runs of the same
      ``training`` share their trials.
    - ``progression``, one row a step from the baseline to the best; differences are from the step before.
    - ``effects``, one row a claim; ``agrees`` is whether the measured difference has the claim's sign.
    """

    space: str
    metric: str
    reading: str
    scale: str
    runs: pd.DataFrame
    progression: pd.DataFrame
    effects: pd.DataFrame
    recorded_noise: Noise | None
    measured_noise: Noise | None
    correlation: Correlation | None  # over the runs that have a score on both sides
    plateau: dict[str, float] | None  # limits of the recorded and of the measured side
    steps: list[tuple[float, float]]  # of each replayed run whose budget is in steps: here, in the log

    def __repr__(self) -> str:
        return short_of_frames(self, f"{self.space} beside its record")


@dataclass(frozen=True)
class _Side:
    """Scores of one side by computation. An id stands for the computation that it is."""

    computation: dict[str, str]  # id -> the first id of its group
    scores: dict[str, list[float]]  # computation -> those of its runs that are not on the plateau
    noise: Noise | None
    plateaus: Counter[str]  # computation -> its runs that are on the plateau

    @classmethod
    def of(
        cls, ids: Iterable[str], groups: Iterable[Sequence[str]], scores: Iterable[tuple[str, float]], limit: float
    ) -> _Side:
        computation = {name: name for name in ids} | {name: group[0] for group in groups for name in group}
        found: dict[str, list[float]] = {}
        plateaus: Counter[str] = Counter()
        for name, score in scores:
            if score > limit:
                plateaus[computation[name]] += 1
            else:
                found.setdefault(computation[name], []).append(score)
        return cls(computation, found, pooled_noise(found.values()), plateaus)

    def of_id(self, name: str | None) -> list[float]:
        return self.scores.get(self.computation.get(name or "", ""), [])

    def mean(self, name: str) -> float:
        return fmean(self.of_id(name)) if self.of_id(name) else math.nan

    def difference(self, treatment: str, control: str | None, claim: float | None) -> tuple[float, str | None]:
        """Mean of the treatment's runs minus that of the control's, and the verdict; NaN and None without a score."""
        ours, theirs = self.of_id(treatment), self.of_id(control)
        if not ours or not theirs:
            return math.nan, None
        found = fmean(ours) - fmean(theirs)
        return found, verdict(found, self.noise, len(ours), len(theirs), claim)


def compare(results: Results) -> Comparison:
    """Hold a replay against its record; a ValueError where the campaign is no replay. It may still be running."""
    if results.campaign.get("recorded") is None:
        raise ValueError(
            f"campaign {results.name!r} is no replay: its campaign.json keeps no recorded runs to compare with; "
            "give two or more campaigns to compare them with each other"
        )
    try:
        return _compare(results)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(f"campaign.json is damaged: 'recorded' is not the record of a campaign: {error!r}") from None


def _compare(results: Results) -> Comparison:
    campaign, trials = results.campaign, results.trials
    record = campaign["recorded"]
    ids = [run["id"] for run in record["runs"]]
    plateau = record["plateau"]
    limits = plateau or {"recorded": math.inf, "measured": math.inf}
    replayed = trials[trials["recorded_id"].isin(ids)]
    scored = ((run["id"], run["value"]) for run in record["runs"] if run["value"] is not None)
    recorded = _Side.of(ids, record["replicates"], scored, limits["recorded"])
    done = replayed[replayed["status"] == "completed"]
    pairs = zip(done["recorded_id"], done["value"], strict=True)
    measured = _Side.of(ids, record["same"], pairs, limits["measured"])
    stuck = replayed.loc[replayed["status"] == "plateaued", "recorded_id"]
    measured.plateaus.update(measured.computation[name] for name in stuck)
    runs = _runs(record["runs"], recorded, measured, _statuses(replayed, measured), limits["recorded"])
    return Comparison(
        space=str(campaign["space"]),
        metric=str(record["metric"]),
        reading=str(record["reading"]),
        scale=str(campaign["scale"]),
        runs=runs,
        progression=_progression(record["progression"], recorded, measured),
        effects=_effects(record["effects"], recorded, measured),
        recorded_noise=recorded.noise,
        measured_noise=measured.noise,
        correlation=_correlation(runs, measured),
        plateau=plateau,
        steps=_steps(record["runs"], replayed),
    )


def _steps(rows: Sequence[dict[str, Any]], replayed: pd.DataFrame) -> list[tuple[float, float]]:
    """List, for each run replayed on a budget of steps, its steps here and its steps in the log."""
    logged = {row["id"]: row["steps"] for row in rows if row["steps"]}
    counted = replayed[replayed["budget_unit"] == "steps"].drop_duplicates("recorded_id")
    here = dict(zip(counted["recorded_id"], counted["budget"], strict=True))
    return [(float(steps), float(logged[name])) for name, steps in here.items() if name in logged and steps > 0]


def _statuses(replayed: pd.DataFrame, measured: _Side) -> dict[str, str]:
    """Computation -> how its trials ended: ``completed`` where one did, else as the first of them."""
    found: dict[str, str] = {}
    for name, status in zip(replayed["recorded_id"], replayed["status"], strict=True):
        key = measured.computation[name]
        found[key] = str(status) if status == "completed" else found.get(key, str(status))
    return found


def _runs(
    rows: Sequence[dict[str, Any]], recorded: _Side, measured: _Side, statuses: dict[str, str], limit: float
) -> pd.DataFrame:
    own = {row["id"]: row["value"] for row in rows if row["value"] is not None and row["value"] <= limit}
    table = []
    for row in rows:
        name, base = row["id"], row["base"]
        claim = own[name] - own[base] if name in own and base in own else None
        key = measured.computation[name]
        here = recorded.difference(name, base, claim) if name in own else (math.nan, None)
        there = measured.difference(name, base, claim)
        scores = measured.of_id(name)
        table.append(
            {label: row[label] for label in ("id", "name", "phase", "base", "status", "steps", "note")}
            | {
                "training": key,
                "recorded": row["value"],
                "recorded_plateau": row["value"] is not None and row["value"] > limit,
                "recorded_runs": len(recorded.of_id(name)),
                "recorded_difference": here[0],
                "recorded_verdict": here[1],
                "measured": measured.mean(name),
                "measured_sd": stdev(scores) if len(scores) > 1 else math.nan,
                "measured_runs": len(scores),
                "measured_plateaus": measured.plateaus[key],
                "measured_status": statuses.get(key),
                "measured_difference": there[0],
                "measured_verdict": there[1],
            }
        )
    found = pd.DataFrame(table).astype({"steps": "Int64", "recorded": "float64"} | dict.fromkeys(_TEXTS, "string"))
    found["recorded_rank"] = found["recorded"].where(~found["recorded_plateau"]).rank(method="min").astype("Int64")
    found["measured_rank"] = found["measured"].rank(method="min").astype("Int64")
    return found


_TEXTS = ("base", "recorded_verdict", "measured_verdict", "measured_status")  # columns that may be null throughout


def _progression(steps: Sequence[dict[str, str]], recorded: _Side, measured: _Side) -> pd.DataFrame:
    table, before = [], None
    for step in steps:
        name = step["id"]
        here, there = (side.difference(name, before, _LOWER) for side in (recorded, measured))
        table.append(
            {
                "id": name,
                "label": step["label"],
                "recorded": recorded.mean(name),
                "recorded_runs": len(recorded.of_id(name)),
                "recorded_difference": here[0],
                "recorded_verdict": here[1],
                "measured": measured.mean(name),
                "measured_runs": len(measured.of_id(name)),
                "measured_difference": there[0],
                "measured_verdict": there[1],
            }
        )
        before = name
    return pd.DataFrame(table, columns=_PROGRESSION).astype(dict.fromkeys(_VERDICTS, "string"))


_VERDICTS = ("recorded_verdict", "measured_verdict")
_PROGRESSION = (
    "id", "label", "recorded", "recorded_runs", "recorded_difference", "recorded_verdict",
    "measured", "measured_runs", "measured_difference", "measured_verdict",
)  # fmt: skip


def _effects(effects: Sequence[dict[str, Any]], recorded: _Side, measured: _Side) -> pd.DataFrame:
    table = []
    for effect in effects:
        claim = _LOWER if effect["lowers"] else -_LOWER
        here, there = (side.difference(effect["treatment"], effect["control"], claim) for side in (recorded, measured))
        table.append(
            {
                "name": effect["name"],
                "treatment": effect["treatment"],
                "control": effect["control"],
                "lowers": effect["lowers"],
                "recorded_difference": here[0],
                "recorded_verdict": here[1],
                "measured_difference": there[0],
                "measured_verdict": there[1],
                "agrees": None if math.isnan(there[0]) else there[0] * claim > 0,
            }
        )
    return pd.DataFrame(table, columns=_EFFECTS).astype(dict.fromkeys(_VERDICTS, "string") | {"agrees": "boolean"})


_EFFECTS = (
    "name", "treatment", "control", "lowers", "recorded_difference", "recorded_verdict",
    "measured_difference", "measured_verdict", "agrees",
)  # fmt: skip


def _correlation(runs: pd.DataFrame, measured: _Side) -> Correlation | None:
    both = runs[runs["recorded"].notna() & ~runs["recorded_plateau"] & runs["measured"].notna()]
    independent = len({measured.computation[name] for name in both["id"]})
    return rank_correlation(both["recorded"], both["measured"], independent)
