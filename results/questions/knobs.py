"""The knobs of a campaign with their domains, as its ``campaign.json`` keeps them, and where values lie in them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

Kind = Literal["uniform", "log", "integer", "log_integer", "choice", "unknown"]
DOMAIN_KINDS: tuple[Kind, ...] = ("uniform", "log", "integer", "log_integer", "choice")
ROUNDING = 1e-5  # of the ends in words, by which an earlier version kept a range
DOMAIN_POINTS = 4000  # by which the part of a domain is measured in which a knob is active
_RANGE = re.compile(r"(\S+) \.\. (\S+?)( \(log\))?")


@dataclass(frozen=True)
class SearchedKnob:
    """One sampled knob: its domain, and the values of others under which it is active."""

    path: str
    kind: Kind
    low: float = 0.0
    high: float = 1.0
    options: tuple[Any, ...] = ()
    when: Mapping[str, Sequence[Any]] | None = None

    @property
    def is_range(self) -> bool:
        """Tell whether it lies between two known ends."""
        return self.kind not in ("choice", "unknown")

    @property
    def is_log(self) -> bool:
        """Tell whether places are evenly apart in the logarithm."""
        return self.kind in ("log", "log_integer")

    @property
    def is_whole(self) -> bool:
        """Tell whether its values are integers."""
        return self.kind in ("integer", "log_integer")

    def places(self, values: pd.Series) -> np.ndarray:
        """Place values between 0, a range's low end, and 1, its high end, on its own scale (linear or log).

        Of a choice the number of the option; of a range that is not known, the rank among the values as a part of
        them. NaN for null, and for what lies outside of the domain or is no option of it, as a base may be.
        """
        if self.kind == "choice":
            numbers = {_label(option): float(number) for number, option in enumerate(self.options)}
            return np.array([numbers.get(_label(value), np.nan) for value in values], dtype=float)
        numbers_of = pd.to_numeric(values, errors="coerce").astype("float64")
        if self.kind == "unknown":
            return ((numbers_of.rank() - 0.5) / max(1, int(numbers_of.notna().sum()))).to_numpy(dtype=float)
        found = numbers_of.to_numpy(dtype=float)
        if self.is_log:
            with np.errstate(divide="ignore", invalid="ignore"):
                found = np.log(found / self.low) / np.log(self.high / self.low)
        else:
            found = (found - self.low) / (self.high - self.low)
        with np.errstate(invalid="ignore"):
            inside = (found >= -ROUNDING) & (found <= 1 + ROUNDING)
        return np.where(inside, found, np.nan)

    def value_at(self, place: float) -> float:
        """The value of a range at a place, the inverse of :meth:`places`."""
        assert self.is_range, self.kind
        if self.is_log:
            return float(self.low * (self.high / self.low) ** place)
        return self.low + place * (self.high - self.low)


def knobs_of(campaign: Mapping[str, Any], trials: pd.DataFrame) -> list[SearchedKnob]:
    """The campaign's knobs in the order of its space.

    A campaign of an earlier version keeps a domain as text only, which is read here; one that keeps none has knobs of
    unknown range.
    """
    ranges: Mapping[str, Any] = campaign.get("ranges") or {}
    types: Mapping[str, str] = campaign.get("knobs") or {}
    order = [*(path for path in ranges if path in types), *(path for path in types if path not in ranges)]
    return [_knob(path, types[path], ranges.get(path) or {}, trials) for path in order if path in trials]


def active(knobs: Sequence[SearchedKnob], trials: pd.DataFrame) -> dict[str, np.ndarray]:
    """Mark, for each knob, the trials in which it is active: its conditions hold, and those of what it depends on."""
    found: dict[str, np.ndarray] = {}
    for knob in knobs:
        here = np.ones(len(trials), dtype=bool)
        for path, labels in (knob.when or {}).items():
            wanted = {_label(label) for label in labels}
            held = np.array([_label(value) in wanted for value in trials[path]], dtype=bool) if path in trials else here
            here = here & held & found.get(path, np.ones(len(trials), dtype=bool))
        if None not in knob.options:  # else null is one of its values
            here = here & trials[knob.path].notna().to_numpy()
        found[knob.path] = here
    return found


def active_in_the_domain(knobs: Sequence[SearchedKnob]) -> np.ndarray:
    """(points, knobs): which knobs are active at points that are drawn evenly from the domain."""
    random = np.random.default_rng(0)
    points = {}
    for knob in knobs:
        options = np.empty(max(1, len(knob.options)), dtype=object)
        options[:] = list(knob.options) or [0.0]
        points[knob.path] = pd.Series(options[random.integers(len(options), size=DOMAIN_POINTS)], dtype=object)
    found = active(knobs, pd.DataFrame(points))
    return np.stack([found[knob.path] for knob in knobs], axis=1)


def domain_text(kept: Mapping[str, Any]) -> str:
    """A knob's domain in words, empty where none is kept; campaigns of before have Python's True and False in it."""
    said = str(kept.get("domain", ""))
    return " | ".join({"True": "true", "False": "false"}.get(label, label) for label in said.split(" | "))


def _knob(path: str, kind_of_column: str, kept: Mapping[str, Any], trials: pd.DataFrame) -> SearchedKnob:
    when = kept.get("when") or None
    if kept.get("kind") in DOMAIN_KINDS:
        if kept["kind"] == "choice":
            return SearchedKnob(path, "choice", options=tuple(kept["options"]), when=when)
        return SearchedKnob(path, kept["kind"], float(kept["low"]), float(kept["high"]), when=when)
    text = str(kept.get("domain", ""))
    if (found := _RANGE.fullmatch(text)) and kind_of_column in ("float64", "int64"):
        kinds: tuple[Kind, Kind] = ("integer", "log_integer") if kind_of_column == "int64" else ("uniform", "log")
        kind = kinds[bool(found[3])]
        try:
            low, high = float(found[1]), float(found[2])
        except ValueError:
            low = high = 0.0
        if low < high and (not found[3] or low > 0):
            return SearchedKnob(path, kind, low, high, when=when)
    seen = [*dict.fromkeys(trials[path].dropna().tolist())]
    if text and " | " in text:
        options = [*seen, None] if "null" in text.split(" | ") else seen
        return SearchedKnob(path, "choice", options=tuple(options), when=when)
    if kind_of_column in ("string", "bool"):
        return SearchedKnob(path, "choice", options=tuple(sorted(seen, key=str)), when=when)
    return SearchedKnob(path, "unknown", when=when)


def _label(value: Any) -> str:
    """A label as text that is the same for a value of JSON and of a column: 4 and 4.0, true and pandas's own."""
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return "null"
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, int | float | np.number):
        return repr(float(value))
    return f"text {value}"
