"""Made-up spaces of which it is known what matters, and campaigns of the product's own search on them.

A trial's value at the end is a known function of its knobs plus noise. On the way it lies higher by an amount that is
its own in part, so that rank correlations with the end are about 0.75 at the first rung and 0.9 at the second, as on
the recorded parameter_golf configs (``benchmarks.fidelity_choice``); one knob moves the early values only.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import optuna
import pandas as pd
import pyarrow as pa

from benchmarks.simulator import MemoryStore, Ours, simulate
from benchmarks.tables import PARTS, STEPS
from results import Results
from results.store.row_parts import with_all_columns
from results.store.schema import reports_schema, trials_schema
from results.store.statuses import STATUSES
from search_spaces.domains import Choice, Integer, LogUniform, Uniform, Value
from search_spaces.space import Knob, Scale, Space
from trainable.config import Budget, TrainConfig
from tuner.campaign.record import domain_of

SLOTS = 4
NOISE = 0.1  # standard deviation of a run at its end; a space's effects have about 0.3 in all
OFFSET = 0.35  # and of what lies between its value on the way and at the end, at the beginning
EARLY = "early"  # the knob that moves early values only

Values = Mapping[str, Value]
Effect = Callable[[Values], float]


@dataclass(frozen=True)
class MadeUp:
    """A space, its base, what a trial ends at without noise, and how much of that each knob explains."""

    name: str
    knobs: tuple[Knob, ...]
    base: Values
    effect: Effect
    shares: Mapping[str, float]  # knob -> Shapley effect: its part of the variance over the space, noise included

    @property
    def important(self) -> list[str]:
        """The knobs that matter, the most important first."""
        return sorted((path for path, share in self.shares.items() if share > 0), key=lambda path: -self.shares[path])


@dataclass(frozen=True)
class _Row:
    values: Values
    curve: np.ndarray
    seconds: float = 9.0


@dataclass(frozen=True)
class _Space(Space):
    """A space whose configs are rows that come as they are asked for: a config's seed is the number of its row."""

    made_up: MadeUp = field(kw_only=True)
    random: np.random.Generator = field(kw_only=True, repr=False)
    rows: list[_Row] = field(default_factory=list, kw_only=True, repr=False)
    numbers: dict[str, int] = field(default_factory=dict, kw_only=True, repr=False)

    def values_of(self, config: Any) -> dict[str, Value]:
        return dict(self.rows[config.seed].values)

    def config(self, base: Any, values: Values) -> Any:
        return replace(base, seed=self.number(values))

    def number(self, values: Values) -> int:
        """The row of ``values``, a new one where they were not asked for before."""
        key = json.dumps(values, sort_keys=True)
        if key not in self.numbers:
            self.numbers[key] = len(self.rows)
            self.rows.append(_Row(dict(values), self._curve(values)))
        return self.numbers[key]

    def _curve(self, values: Values) -> np.ndarray:
        parts = np.arange(1, PARTS + 1) / PARTS
        early = values.get(EARLY)
        own = OFFSET * self.random.normal() + (0.5 * (float(early) - 0.5) if isinstance(early, float) else 0.0)
        final = 3.0 + self.made_up.effect(values) + NOISE * self.random.normal()
        found: np.ndarray = (
            final + (0.6 + own) * (1 - parts) + 0.3 * NOISE * self.random.normal(size=PARTS) * (parts < 1)
        )
        return found


@dataclass(frozen=True)
class _Table:
    """A made-up space as the simulator takes a table."""

    name: str
    space: _Space
    base: TrainConfig

    @property
    def rows(self) -> Sequence[_Row]:
        return self.space.rows

    def fresh(self) -> _Table:
        return self


class KeepingStore(MemoryStore):
    """Keeps a campaign's rows in memory."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.kept: dict[str, dict[str, Any]] = {}
        self.reported: list[dict[str, Any]] = []

    def write_trial(self, row: Any, durable: bool = True) -> None:
        self.kept[row["key"]] = dict(row)

    def append_report(self, row: Any, durable: bool = True) -> None:
        self.reported.append(dict(row))


def campaign(made_up: MadeUp, trials: int, seed: int) -> Results:
    """A search of so many trials with early stopping, as its rows would be read."""
    return play(made_up, trials, seed)[0]


def play(made_up: MadeUp, trials: int, seed: int) -> tuple[Results, optuna.Study]:
    """Play a search, and give also what Optuna's own functions see of it."""
    random = np.random.default_rng(seed)
    base = TrainConfig(budget=Budget(steps=STEPS), seed=0)
    scales = {"made-up": Scale(base, trials=trials, about="made up")}
    space = _Space(made_up.name, "What matters?", "val_loss", scales, made_up.knobs, made_up=made_up, random=random)
    space.number(made_up.base)
    table: Any = _Table(made_up.name, space, base)
    with closing(Ours(table, seed, SLOTS, trials=trials, make_store=KeepingStore)) as ours:
        simulate(table, ours, SLOTS, math.inf)
        return _results(space, ours.search.ledger.store), ours.sampler.study


def _results(space: _Space, store: Any) -> Results:
    types = space.column_types()
    rows = [with_all_columns(row) for row in store.kept.values()]
    names = {f.name for f in reports_schema()}
    reports = [{name: row.get(name) for name in names} for row in store.reported]
    trials = pa.Table.from_pylist([{**dict.fromkeys(types), **row} for row in rows], trials_schema(types)).to_pandas()
    trials["status"] = trials["status"].astype(pd.CategoricalDtype(list(STATUSES), ordered=True))
    ranges = {k.path: {**domain_of(k.domain), "why": k.why, "when": k.when} for k in space.knobs}
    described = {"objective": space.objective, "knobs": types, "ranges": json.loads(json.dumps(ranges))}
    told = pa.Table.from_pylist(reports, reports_schema()).to_pandas()
    return Results(described, trials, told, store.folder.name, store)


def _ranges(count: int) -> tuple[Knob, ...]:
    """Make so many knobs of which none is special: logarithmic, linear and whole ones by turns."""
    kinds = (LogUniform(1e-3, 1e-1), Uniform(0.0, 1.0), Uniform(0.0, 1.0), Integer(1, 8))
    return tuple(Knob(f"knob_{n}", kinds[n % len(kinds)], "made up") for n in range(count))


def _place(knobs: Sequence[Knob], values: Values, path: str) -> float:
    domain, value = next(k.domain for k in knobs if k.path == path), values[path]
    assert not isinstance(domain, Choice) and isinstance(value, int | float)
    if isinstance(domain, LogUniform):
        return math.log(value / domain.low) / math.log(domain.high / domain.low)
    return (value - domain.low) / (domain.high - domain.low)


_EARLY = Knob(EARLY, Uniform(0.0, 1.0), "made up")


def _middle(knobs: Sequence[Knob]) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for knob in knobs:
        if all(found.get(path) in labels for path, labels in (knob.when or {}).items()):
            d = knob.domain
            if isinstance(d, Choice):
                found[knob.path] = d.labels[0]
            else:
                middle = math.sqrt(d.low * d.high) if isinstance(d, LogUniform) else (d.low + d.high) / 2
                found[knob.path] = int(middle) if isinstance(d, Integer) else middle
    return found


def additive() -> MadeUp:
    """Twelve ranges of which four act, each by itself: two have their best inside, two at an end."""
    knobs = (*_ranges(12), _EARLY)

    def effect(values: Values) -> float:
        rate, size, share, rest = (_place(knobs, values, f"knob_{n}") for n in (0, 3, 1, 5))
        return 2.4 * (rate - 0.6) ** 2 + 0.45 * size - 0.35 * share + 0.9 * (rest - 0.4) ** 2

    return _known("additive", knobs, effect)


def conditional(shares: bool = True) -> MadeUp:
    """A choice under which two knobs of their own act or do nothing, another choice, and eight knobs without effect."""
    kind = Choice("plain", "slow", "fast", "mixed")
    knobs = (
        Knob("kind", kind, "made up"),
        Knob("kind.rate", LogUniform(1e-3, 1e-1), "made up", {"kind": ("slow", "mixed")}),
        Knob("kind.idle", Uniform(0.0, 1.0), "made up", {"kind": ("fast", "mixed")}),
        Knob("norm", Choice(None, 0.3, 1.0), "made up"),
        Knob("tied", Choice(True, False), "made up"),
        *_ranges(6),
        _EARLY,
    )
    of_kind = {"plain": 0.5, "slow": 0.0, "fast": 0.35, "mixed": 0.1}

    def effect(values: Values) -> float:
        found = of_kind[str(values["kind"])] + (0.25 if values["norm"] is None else 0.0)
        if "kind.rate" in values:
            found += 2.2 * (_place(knobs, values, "kind.rate") - 0.35) ** 2
        return found + 0.25 * _place(knobs, values, "knob_1")

    return _known("conditional", knobs, effect) if shares else MadeUp("conditional", knobs, _middle(knobs), effect, {})


def interacting() -> MadeUp:
    """Two knobs that act only together, two that act alone and together, one alone, and seven without effect."""
    knobs = (*_ranges(11), _EARLY)

    def effect(values: Values) -> float:
        p = [_place(knobs, values, f"knob_{n}") - 0.5 for n in range(6)]
        return 1.8 * p[0] * p[1] + 0.35 * (p[2] + p[3]) + 1.2 * p[2] * p[3] + 1.5 * p[4] ** 2

    return _known("interacting", knobs, effect)


def nothing(early: bool = False) -> MadeUp:
    """The knobs of ``conditional``, none of which does anything; or one, but to the early values only."""
    found = conditional(shares=False)
    knobs = tuple(knob for knob in found.knobs if early or knob.path != EARLY)
    base = {path: value for path, value in found.base.items() if early or path != EARLY}
    return MadeUp("nothing", knobs, base, lambda values: 0.0, dict.fromkeys((knob.path for knob in knobs), 0.0))


SPACES: Mapping[str, Callable[[], MadeUp]] = {
    "additive": additive,
    "conditional": conditional,
    "interacting": interacting,
}
DRAWN = 3000  # points by which shares are measured


def _known(name: str, knobs: tuple[Knob, ...], effect: Effect) -> MadeUp:
    """The space with its knobs' Shapley effects, by the permutation estimator of Song, Nelson and Staum (2016).

    A knob that is drawn anew is so together with nothing else; one that becomes inactive then drops out.
    """
    random = np.random.default_rng(0)
    paths = [knob.path for knob in knobs]
    told = dict.fromkeys(paths, 0.0)
    ends = []
    for _ in range(DRAWN):
        one, other = (_drawn(knobs, random) for _ in range(2))
        before = effect(_live(knobs, one))
        ends.append(before)
        first = before
        mixed = dict(one)
        for path in random.permutation(paths):
            mixed[path] = other[path]
            after = effect(_live(knobs, mixed))
            told[path] += (before - after) * (first - (before + after) / 2)
            before = after
    whole = float(np.var(ends)) + NOISE**2
    shares = {path: value / DRAWN / whole for path, value in told.items()}
    return MadeUp(name, knobs, _middle(knobs), effect, {p: (s if s > 0.01 else 0.0) for p, s in shares.items()})


def _drawn(knobs: Sequence[Knob], random: np.random.Generator) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for knob in knobs:
        d = knob.domain
        if isinstance(d, Choice):
            found[knob.path] = d.labels[int(random.integers(len(d.labels)))]
        elif isinstance(d, Integer):
            found[knob.path] = int(random.integers(d.low, d.high + 1))
        else:
            place = random.random()
            log = isinstance(d, LogUniform)
            found[knob.path] = d.low * (d.high / d.low) ** place if log else d.low + place * (d.high - d.low)
    return found


def _live(knobs: Sequence[Knob], values: Values) -> dict[str, Value]:
    """The values of the knobs that are active under the others."""
    found: dict[str, Value] = {}
    for knob in knobs:
        if all(found.get(path, ...) in labels for path, labels in (knob.when or {}).items()):
            found[knob.path] = values[knob.path]
    return found
