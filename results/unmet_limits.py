"""Limits (``--constraint``, and an artifact's own) that no trial of a search meets: how near one came, and what next.

A search in which no trial meets them has no winner, no weights and nothing to compare. Its rows still say how far it
was from one, which is what whoever set the limits has to know.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from terminal.number import decimal
from terminal.short import decimals

from results.store.statuses import SEARCH

_FORM = re.compile(r"(\w+)(<=|>=)([\w.+-]+)(?: margin ([\w.+-]+)%)?")  # as search_spaces/constraints.py writes them
MEASURED_COSTS = ("train_seconds", "train_minutes", "step_seconds", "parameters", "artifact_bytes", "peak_memory_bytes")
COUNTS = ("parameters", "artifact_bytes", "peak_memory_bytes")  # of them, whole numbers
ARTIFACT_LIMIT = "artifact.limit_bytes"  # the setting
AnyRow = Mapping[Any, Any]


@dataclass(frozen=True)
class Limit:
    """One limit: a measure that must be at most ``bound``, or at least that."""

    text: str
    measure: str
    bound: float
    at_least: bool = False
    of_artifact: bool = False  # set by artifact.limit_bytes, not by a constraint

    def excess(self, value: float) -> float:
        """Return the part of the bound by which ``value`` is beyond it; at most 0 where the limit is met."""
        part = value / self.bound
        return 1 - part if self.at_least else part - 1

    def said(self, value: float) -> str:
        """Give a value of its measure."""
        whole = abs(value) >= 1000 or (value.is_integer() and self.measure in COUNTS)
        return f"{self.measure} {value:,.0f}" if whole else f"{self.measure} {decimals(value)}"

    @property
    def sign(self) -> str:
        """Return its comparison, as an option has it."""
        return ">=" if self.at_least else "<="

    def bound_met_by(self, value: float) -> str:
        """Return the bound of a limit which ``value`` meets: rounded away from it, to three digits."""
        step = 10.0 ** (math.floor(math.log10(abs(value))) - 2) if value else 1.0
        return f"{(math.floor if self.at_least else math.ceil)(round(value / step, 6)) * step:.12g}"

    def met_by(self, value: float) -> str:
        """Return the option that sets a limit which ``value`` meets."""
        bound = self.bound_met_by(value)
        if self.of_artifact:
            return f"--set {ARTIFACT_LIMIT}={bound}"
        return f"--constraint '{self.measure}{self.sign}{bound}'"


@dataclass(frozen=True)
class Nearest:
    """A search in which no trial meets all limits, and the trial that came nearest to that."""

    limits: Sequence[Limit]
    trial: int
    values: Mapping[str, float]  # measure -> the trial's, of every limit that it knows
    budget: float | None
    budget_unit: str | None

    @property
    def broken(self) -> list[Limit]:
        """The limits that the trial is beyond."""
        return [limit for limit in self.limits if limit.excess(self.values.get(limit.measure, -math.inf)) > 0]

    @property
    def fact(self) -> str:
        """Say in a sentence which limit no trial meets, the nearest value and its trial."""
        texts = texts_of(self.limits)
        which = f"the limit {texts[0]}" if len(texts) == 1 else f"all of the limits {', '.join(texts)}"
        near = " and ".join(dict.fromkeys(limit.said(self.values[limit.measure]) for limit in self.broken))
        return f"No trial meets {which}: the nearest is trial {self.trial} with {near}"

    @property
    def options(self) -> str:
        """The options of a search whose limits that trial would meet."""
        return " ".join(limit.met_by(self.values[limit.measure]) for limit in self.broken)

    def changes(self, campaign: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of ``campaign`` that are others in a search whose limits that trial would meet."""
        beyond = {limit.text: limit.bound_met_by(self.values[limit.measure]) for limit in self.broken}
        eased = {limit.text: f"{limit.measure}{limit.sign}{beyond[limit.text]}" for limit in self.broken}
        found: dict[str, Any] = {"constraints": [eased.get(one, one) for one in campaign.get("constraints") or ()]}
        if (most := next((beyond[limit.text] for limit in self.broken if limit.of_artifact), None)) is not None:
            found["overrides"] = {ARTIFACT_LIMIT: most}
        return found

    @property
    def advice(self) -> str:
        """Say what to do: a limit that can be met, longer trials where a score is limited, or more of them."""
        longer = f" or longer trials ({self.longer})" if self.longer else ""
        eased = f"a limit that trial {self.trial} would meet ({self.options})"
        return f"begin a search with {eased}{longer}, or resume this one for more trials"

    @property
    def longer(self) -> str:
        """The option that makes trials longer, where a score is limited and they have a budget; else empty."""
        scores = any(limit.measure not in MEASURED_COSTS for limit in self.broken)
        if not scores or self.budget is None or self.budget_unit is None:
            return ""
        return f"--set budget.{self.budget_unit}={2 * self.budget:.12g}"


def texts_of(limits: Iterable[Limit]) -> list[str]:
    """The limits in words, each once: one on artifact_bytes may stand both among the constraints and in the config."""
    return list(dict.fromkeys(limit.text for limit in limits))


def limits_of(campaign: Mapping[str, Any]) -> list[Limit]:
    """The limits of a campaign, as its file has them; a text of another form is left to whoever wrote it."""
    found = [limit for text in campaign.get("constraints") or () if (limit := _parsed(str(text))) is not None]
    artifact = (campaign.get("base") or {}).get("artifact")
    if isinstance(artifact, Mapping) and isinstance(most := artifact.get("limit_bytes"), int):
        found.append(Limit(f"artifact_bytes<={most}", "artifact_bytes", float(most), of_artifact=True))
    return found


def nearest_to_limits(campaign: Mapping[str, Any], rows: Iterable[AnyRow]) -> Nearest | None:
    """The trial of a search that came nearest to meeting all limits; None where one has completed, or none broke any.

    ``rows`` are plain ones, with None for what is null, in any order; what is no row of the search is left out.
    """
    limits, best = limits_of(campaign), None
    for row in rows:
        if row.get("stage") not in (None, SEARCH):
            continue
        if row["status"] == "completed":
            return None
        if row["status"] != "infeasible":
            continue
        values = {limit.measure: value for limit in limits if (value := measure_in(row, limit.measure)) is not None}
        excess = [limit.excess(values[limit.measure]) for limit in limits if limit.measure in values]
        if not excess or max(excess) <= 0:
            continue  # its values made no valid config
        place = (len(limits) - len(excess), max(excess), int(row["number"]))  # one that knows all of them comes first
        if best is None or place < best[0]:
            best = (place, Nearest(limits, place[2], values, _number(row.get("budget")), row.get("budget_unit")))
    return None if best is None else best[1]


def measure_in(row: AnyRow, measure: str) -> float | None:
    """A measure of a row; None where it does not know it. Seconds are those of the run itself, as limits count them."""
    seconds, steps = _number(row.get("train_seconds")), _number(row.get("steps"))
    if measure == "step_seconds":
        return seconds / steps if seconds and steps else None
    if measure == "train_seconds" and seconds is not None:
        return seconds - (_number(row.get("extra_seconds")) or 0.0)
    return _number(row.get(measure))


def _parsed(text: str) -> Limit | None:
    form = _FORM.fullmatch(text)
    limit, margin = (None, None) if form is None else (decimal(form[3]), decimal(form[4] or "0"))
    if form is None or limit is None or margin is None or limit <= 0:
        return None
    at_least = form[2] == ">="
    return Limit(text, form[1], limit * (1 + margin / 100 if at_least else 1 - margin / 100), at_least)


def _number(cell: Any) -> float | None:
    return float(cell) if isinstance(cell, int | float) and math.isfinite(cell) else None
