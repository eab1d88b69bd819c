"""A table whose rows are trained when a method asks for them: the methods of ``simulator.py`` on real trainings.

Each point that is asked for becomes a row, and a row is trained only as far as it is looked at, so that a trial that is
stopped early costs here what it would cost a campaign. All rows of a table have the base's seed, as in a search.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from benchmarks.tables import PARTS, STEPS
from search_spaces.domains import Value
from search_spaces.space import Space
from trainable.config import Budget, TrainConfig
from trainable.data.dataset import Dataset
from trainable.report import Report
from trainable.run import Run
from trainable.runtime import Runtime
from trainable.train import train


class LiveCurve:
    """The objective of a run at some ninths of its budget, known as far as it has been asked for."""

    def __init__(self, reports: Iterator[Report], objective: str, parts: Sequence[int]) -> None:
        self.reports, self.objective, self.left, self.known = reports, objective, list(parts), dict[int, float]()

    def __getitem__(self, index: int) -> float:
        """The value after ``index + 1`` ninths, NaN where the run has diverged until then."""
        part = index + 1
        assert part in self.left or part in self.known, f"nothing is measured after {part} ninths"
        while part not in self.known:
            report = next(self.reports, None)  # None: it diverged before
            value = None if report is None or report.status == "diverged" else getattr(report, self.objective)
            self.known[self.left.pop(0)] = math.nan if value is None else float(value)
        return self.known[part]


@dataclass(frozen=True)
class LiveRow:
    """A trial that is trained as it is looked at."""

    values: Mapping[str, Value]
    config: TrainConfig | None  # None: no valid run
    curve: LiveCurve
    seconds: float  # of the simulated clock: 1 for the base, of others by their FLOPs

    @property
    def final(self) -> float:
        """The value at the end, NaN while it is not known."""
        return self.curve.known.get(PARTS, math.nan)


@dataclass(frozen=True)
class LiveSpace(Space):
    """A space whose configs are rows: the seed of a config is the number of its row, and nothing else in it counts."""

    real: Space = field(kw_only=True)
    real_base: TrainConfig = field(kw_only=True)
    dataset: Dataset = field(kw_only=True, repr=False)
    parts: tuple[int, ...] = field(kw_only=True)  # the ninths after which rows are measured
    rows: list[LiveRow] = field(default_factory=list, kw_only=True, repr=False)
    numbers: dict[str, int] = field(default_factory=dict, kw_only=True, repr=False)  # values -> row

    def values_of(self, config: TrainConfig) -> dict[str, Value]:
        return dict(self.rows[config.seed].values)

    def config(self, base: TrainConfig, values: Mapping[str, Value]) -> TrainConfig:
        number = self.nearest(values)
        if self.rows[number].config is None:
            raise ValueError("no valid run")
        return replace(base, seed=number)

    def nearest(self, values: Mapping[str, Value]) -> int:
        """The row of ``values``, a new one where they were not asked for before."""
        key = json.dumps(values, sort_keys=True)
        if key not in self.numbers:
            self.numbers[key] = len(self.rows)
            self.rows.append(self._row(values))
        return self.numbers[key]

    def _row(self, values: Mapping[str, Value]) -> LiveRow:
        try:
            config = self.real.config(self.real_base, values)
        except ValueError:
            return LiveRow(dict(values), None, LiveCurve(iter(()), self.objective, self.parts), 1.0)
        reports = self._reports(config)
        seconds = self._flops(config) / self._flops(self.real_base)
        return LiveRow(dict(values), config, LiveCurve(reports, self.objective, self.parts), seconds)

    def _reports(self, config: TrainConfig) -> Iterator[Report]:
        milestones = [round(config.budget.amount * part / PARTS) for part in self.parts if part < PARTS]
        yield from train(Run.start(config, self.dataset, Runtime.detect()), milestones)

    def _flops(self, config: TrainConfig) -> int:
        return config.model.flops_per_token(self.dataset.vocab_size, config.data.seq_len)


@dataclass(frozen=True)
class LiveTable:
    """Counterpart of ``tables.Table`` that trains instead of replaying recorded curves. Row 0 is the base."""

    space: LiveSpace
    base: TrainConfig = field(default_factory=partial(TrainConfig, budget=Budget(steps=STEPS), seed=0))

    @property
    def rows(self) -> list[LiveRow]:
        return self.space.rows

    def fresh(self) -> LiveTable:
        """A table without any row but the base's, which is not trained yet."""
        return replace(self, space=_begun(replace(self.space, rows=[], numbers={})))


def make(space: Space, base: TrainConfig, dataset: Dataset, parts: Sequence[int]) -> LiveTable:
    """A live table of ``space`` around ``base``, with values at ``parts``, which end with ``PARTS``."""
    assert list(parts) == sorted(parts) and parts[-1] == PARTS, parts
    named = {name: getattr(space, name) for name in ("name", "question", "objective", "scales", "knobs")}
    live = LiveSpace(**named, real=space, real_base=base, dataset=dataset, parts=tuple(parts))
    return LiveTable(_begun(live))


def _begun(space: LiveSpace) -> LiveSpace:
    assert space.nearest(space.real.values_of(space.real_base)) == 0
    return space
