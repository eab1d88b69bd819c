"""Points of a space as rows of numbers in [0, 1], one a knob, and as the features that a kernel measures distances in.

A number is its place in its range, by the logarithm where the domain is logarithmic; an option is its place among all.
A knob that does nothing under the values of others is NaN. As features it has the middle of its range, or no label, so
that two points do not differ in what does nothing. Options that are no numbers have a column each.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from search_spaces.domains import Choice, Integer, Uniform, Value
from search_spaces.space import Knob, Space

MIDDLE = 0.5
OF_OPTIONS = math.sqrt(0.5)  # of the column of an option, so that two are as far apart as the ends of a range


class Coordinates:
    """Translator between values of a space's knobs, rows of coordinates (NaN: not active) and features."""

    def __init__(self, space: Space) -> None:
        self.knobs = space.knobs
        self._place = {knob.path: at for at, knob in enumerate(space.knobs)}
        self._options = [_options(knob) for knob in space.knobs]
        # Numbers that coordinates came from: by a logarithm and back, 0.04 would be 0.03999999999999999.
        self._exact: dict[tuple[int, float], Value] = {}
        self._rows: dict[tuple[tuple[str, Value], ...], np.ndarray] = {}
        self.is_choice = np.array([isinstance(knob.domain, Choice) for knob in space.knobs], dtype=bool)
        self.least_step = np.array([_least_step(knob) for knob in space.knobs])  # that reaches another value
        widths = [1 if is_ordered(knob) else len(options) for knob, options in self._knobs_and_options()]
        self.knob_of_feature = np.repeat(np.arange(len(space.knobs)), widths)

    def rows(self, points: Sequence[Mapping[str, Value]]) -> np.ndarray:
        """(points, knobs), of valid values."""
        return np.array([self._row(point) for point in points]).reshape(len(points), len(self.knobs))

    def _row(self, point: Mapping[str, Value]) -> np.ndarray:
        """The row of a point, kept: every question of a search comes with all trials before it."""
        key = tuple(point.items())
        if key not in self._rows:
            row = self._rows[key] = np.full(len(self.knobs), np.nan)
            for path, value in point.items():
                at = self._place[path]
                row[at] = self._coordinate(at, value)
                self._exact[at, float(row[at])] = value
        return self._rows[key]

    def values(self, row: np.ndarray) -> dict[str, Value]:
        """The values that a settled row stands for."""
        return {
            knob.path: self._value(at, float(row[at])) for at, knob in enumerate(self.knobs) if not np.isnan(row[at])
        }

    def settled(self, rows: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """The nearest rows that are points of the space: NaN is drawn at random where its knob is active."""
        drawn = generator.random(rows.shape)
        found = np.where(np.isnan(rows), drawn, np.clip(rows, 0.0, 1.0))
        for at, knob in enumerate(self.knobs):
            found[:, at] = self._snapped(at, found[:, at], np.isnan(rows[:, at]))
            for path, labels in (knob.when or {}).items():
                found[~self._has(self._place[path], found[:, self._place[path]], labels), at] = np.nan
        return found

    def others(self, at: int, here: float, places: np.ndarray) -> np.ndarray:
        """Coordinates of a knob at such places (0 to 1) of its range; of a choice, among the options but ``here``."""
        options = self._options[at]
        if not options:
            return places
        rest = np.delete(np.arange(len(options)), round(here * (len(options) - 1)))
        found: np.ndarray = rest[(places * len(rest)).astype(int)] / (len(options) - 1)
        return found

    def features(self, rows: np.ndarray) -> np.ndarray:
        """(rows, features)."""
        columns = []
        for at, (knob, options) in enumerate(self._knobs_and_options()):
            column, inactive = rows[:, at], np.isnan(rows[:, at])
            if is_ordered(knob):
                columns.append(np.where(inactive, MIDDLE, column)[:, None])
            else:
                chosen = np.where(inactive, -1, np.rint(column * (len(options) - 1)))
                columns.append(OF_OPTIONS * (chosen[:, None] == np.arange(len(options))))
        return np.concatenate(columns, axis=1) if columns else np.zeros((len(rows), 0))

    def _knobs_and_options(self) -> list[tuple[Knob, list[Value]]]:
        return list(zip(self.knobs, self._options, strict=True))

    def _coordinate(self, at: int, value: Value) -> float:
        domain, options = self.knobs[at].domain, self._options[at]
        if isinstance(domain, Choice):
            return options.index(value) / (len(options) - 1)
        assert isinstance(value, int | float)
        if domain.is_log:
            return math.log(value / domain.low) / math.log(domain.high / domain.low)
        return (value - domain.low) / (domain.high - domain.low)

    def _value(self, at: int, coordinate: float) -> Value:
        domain, options = self.knobs[at].domain, self._options[at]
        if isinstance(domain, Choice):
            return options[round(coordinate * (len(options) - 1))]
        if (at, coordinate) in self._exact:
            return self._exact[at, coordinate]
        found = float(_between(domain, coordinate))
        if isinstance(domain, Integer):
            return min(max(round(found), domain.low), domain.high)
        return min(max(found, domain.low), domain.high)

    def _snapped(self, at: int, column: np.ndarray, at_random: np.ndarray) -> np.ndarray:
        """The nearest coordinates that are values; of random ones, so that every option is as likely as another."""
        domain = self.knobs[at].domain
        if isinstance(domain, Choice):
            steps = len(self._options[at]) - 1
        elif isinstance(domain, Integer) and not domain.is_log:
            steps = domain.high - domain.low
        else:
            if isinstance(domain, Integer):
                whole = np.clip(np.rint(_between(domain, column)), domain.low, domain.high)
                found: np.ndarray = np.log(whole / domain.low) / math.log(domain.high / domain.low)
                return found
            return column
        evenly = np.minimum(np.floor(column * (steps + 1)), steps)
        found = np.where(at_random, evenly, np.rint(column * steps)) / steps
        return found

    def _has(self, at: int, column: np.ndarray, labels: Sequence[Value]) -> np.ndarray:
        """Tell of each coordinate whether it is active and its value among ``labels``."""
        domain, options = self.knobs[at].domain, self._options[at]
        if isinstance(domain, Choice):
            wanted = [place for place, option in enumerate(options) if option in labels]
            return np.isin(np.rint(column * (len(options) - 1)), wanted)
        return np.array([not np.isnan(x) and self._value(at, float(x)) in labels for x in column], dtype=bool)


def _least_step(knob: Knob) -> float:
    """The distance of two neighbouring integers; 0 of what has no neighbours."""
    domain = knob.domain
    return 1 / (domain.high - domain.low) if isinstance(domain, Integer) else 0.0


def is_ordered(knob: Knob) -> bool:
    """Tell whether the values of a knob have an order: numbers, and choices of numbers."""
    if not isinstance(knob.domain, Choice):
        return True
    return all(isinstance(label, int | float) and not isinstance(label, bool) for label in knob.domain.labels)


def _options(knob: Knob) -> list[Value]:
    """The labels of a choice in the order of their coordinates; empty for a range."""
    if not isinstance(knob.domain, Choice):
        return []
    labels: list[Any] = list(knob.domain.labels)
    return sorted(labels) if is_ordered(knob) else labels


def _between(domain: Uniform | Integer, coordinate: float | np.ndarray) -> float | np.ndarray:
    if domain.is_log:
        return domain.low * (domain.high / domain.low) ** coordinate
    return domain.low + coordinate * (domain.high - domain.low)
