"""Order of configs at one width beside that at three times the width: ``python -m benchmarks.transfer FILE``.

A search on proxies is worth what its order of configs is at the size that counts. Some configs of ``parameter_golf``,
half of them near the base and half random, are trained in the small form of the space (four layers, 80 steps) at width
32 and at width 96, there both with their values as they are and with their rates moved by the space's rules of width
(muP), each on two seeds. Printed are Spearman's rank correlations with bootstrap intervals over the configs, what the
same configs on another seed have (no carrying over can do better), and what is lost by taking the best of the small
width. Every run is a line of FILE as soon as it has ended, and a file that exists is gone on with; all take about a
quarter of an hour of one core.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m benchmarks.transfer")

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from scipy.stats import rankdata

import search_spaces
from benchmarks.surrogate import small_spaces
from benchmarks.surrogate.record import Row, measured, read
from benchmarks.surrogate.scales import at_scale, points
from search_spaces.domains import Value
from search_spaces.width import WidthRules
from storage.location import local_argument
from terminal.command_line import OneLineParser
from terminal.console import Console
from terminal.option_numbers import at_least_one
from trainable.component_paths import with_value, with_values
from trainable.config import TrainConfig
from trainable.data.preparation import prepare
from tuner.plan.cost import tokens_of

SPACE = "parameter_golf"
SMALL, LARGE = 32, 96  # channels
SEEDS = 2
ARMS = ("small", "as they are", "moved")  # where a config is trained: the last two at the large width
RESAMPLES = 10_000
BEST = 3  # of the small width, as a campaign takes over

Ends = dict[tuple[int, str, int], float]  # config, arm and seed -> its end


def base_at(width: int) -> TrainConfig:
    """The base of the small form of the space at a width."""
    found: TrainConfig = with_value(small_spaces.load(SPACE).base, "model.model_dim", width)
    return found


def config_of(values: Mapping[str, Value], arm: str, seed: int) -> TrainConfig:
    """The training of a point in one of :data:`ARMS`."""
    space, small = search_spaces.load(SPACE), base_at(SMALL)
    base = small if arm == "small" else base_at(LARGE)
    config = space.config(base, at_scale(dict(values), "small"))
    if arm == "moved":
        config = with_values(config, moved(space.width_rules, values, small, base))
    return replace(config, seed=small.seed + seed)


def moved(rules: WidthRules, values: Mapping[str, Value], here: TrainConfig, there: TrainConfig) -> dict[str, Any]:
    """The values that the rules of width change, as they are at the other width."""
    found: dict[str, Any] = {}
    for path, factor in rules.factors(here, there).items():
        if isinstance(value := values.get(path), int | float):
            found[path] = value * factor
    return found


def runs(configs: int) -> Iterator[tuple[int, dict[str, Value], str, int]]:
    """All runs, those of a first seed before those of the next, so that a part of them is worth printing."""
    drawn = points(configs)
    for seed in range(SEEDS):
        for number, values in enumerate(drawn):
            for arm in ARMS:
                yield number, values, arm, seed


def ends_of(rows: Sequence[Row]) -> Ends:
    """The end of each run; infinite for one that diverged, which any order puts last."""
    return {
        (row["number"], row["arm"], row["trial_seed"]): row["rungs"][-1] if row["status"] == "completed" else np.inf
        for row in rows
    }


def spearman(first: np.ndarray, second: np.ndarray) -> float:
    """Rank correlation of two columns; ties share a rank. Nothing is known of equal values: 0."""
    ranks = rankdata(first), rankdata(second)
    if any(np.ptp(each) == 0 for each in ranks):
        return 0.0
    return float(np.corrcoef(*ranks)[0, 1])


def interval(statistic: Any, count: int) -> tuple[float, float]:
    """The 95 % interval of a statistic of the configs with these places, by drawing configs with replacement."""
    generator = np.random.default_rng(6)
    drawn = [statistic(generator.integers(count, size=count)) for _ in range(RESAMPLES)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)


def columns(ends: Ends) -> tuple[list[int], dict[tuple[str, int], np.ndarray]]:
    """The configs that have all their runs, and the end of each by arm and seed."""
    numbers = sorted({number for number, _, _ in ends})
    whole = [n for n in numbers if all((n, arm, seed) in ends for arm in ARMS for seed in range(SEEDS))]
    found = {
        (arm, seed): np.array([ends[number, arm, seed] for number in whole]) for arm in ARMS for seed in range(SEEDS)
    }
    return whole, found


def show(console: Console, rows: Sequence[Row]) -> None:
    """Print the correlations, what moving the rates does to them, and what the best of the small width come to."""
    numbers, found = columns(ends_of(rows))
    if len(numbers) < 4:
        console.print(f"{len(numbers)} configs have all their runs; at least 4 are needed")
        return
    mean = {arm: np.mean([found[arm, seed] for seed in range(SEEDS)], axis=0) for arm in ARMS}
    groups = {"all": numbers, "near the base": [n for n in numbers if n % 2 or n == 0]}
    groups["random"] = [n for n in numbers if n not in groups["near the base"]]
    for name, members in groups.items():
        at = np.array([numbers.index(n) for n in members])
        console.print(f"{name}: {len(at)} configs, width {SMALL} beside {LARGE}, means of {SEEDS} seeds")
        for arm in ARMS[1:]:
            console.print(f"  rates {arm}: {_said(mean['small'][at], mean[arm][at])}")
        gain = _paired(mean["small"][at], mean["moved"][at], mean["as they are"][at])
        console.print(f"  moved minus as they are: {gain}")
        for arm in ARMS:
            console.print(f"  ceiling, {arm}, seed against seed: {_said(found[arm, 0][at], found[arm, 1][at])}")
    for arm in ARMS[1:]:
        chosen = np.argsort(mean["small"])[:BEST]
        console.print(
            f"best {BEST} of width {SMALL} at width {LARGE}, rates {arm}: best {mean[arm][chosen].min():.4f}, "
            f"all {len(numbers)}: best {mean[arm].min():.4f}, median {np.median(mean[arm]):.4f}, "
            f"base {mean[arm][0]:.4f}"
        )


def _said(first: np.ndarray, second: np.ndarray) -> str:
    low, high = interval(lambda at: spearman(first[at], second[at]), len(first))
    return f"{spearman(first, second):.2f} ({low:.2f} to {high:.2f})"


def _paired(small: np.ndarray, one: np.ndarray, other: np.ndarray) -> str:
    def difference(at: np.ndarray) -> float:
        return spearman(small[at], one[at]) - spearman(small[at], other[at])

    low, high = interval(difference, len(small))
    return f"{difference(np.arange(len(small))):+.2f} ({low:+.2f} to {high:+.2f})"


def main(arguments: Sequence[str] | None = None) -> int:
    """Train what is not kept yet, and print the comparison."""
    parser = OneLineParser(prog="python -m benchmarks.transfer", description=__doc__)
    parser.add_argument("file", type=local_argument)
    parser.add_argument("--configs", type=at_least_one, default=24)
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    space, rows = search_spaces.load(SPACE), read(given.file)
    done = {(row["number"], row["arm"], row["trial_seed"]) for row in rows}
    base = base_at(LARGE)
    data = prepare(base.data, train_tokens_needed=tokens_of(base))
    for number, values, arm, seed in runs(given.configs):
        if (number, arm, seed) not in done:
            row: dict[str, Any] = {"number": number, "arm": arm, "trial_seed": seed, "values": values}
            row |= measured(config_of(values, arm, seed), space.objective, data)
            rows.append(row)
            with given.file.open("a") as out:
                out.write(json.dumps(row) + "\n")
    show(Console(width=120), rows)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
