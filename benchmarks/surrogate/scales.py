"""Order of configs at the small scale beside that at the proxy: ``python -m benchmarks.surrogate.scales FILE``.

A benchmark of small trainings tells something of larger ones only where both put configs in about the same order. Some
configs of ``parameter_golf``, half of them near the base and half random, are trained at both scales with the base's
sizes. Every run is a line of FILE as soon as it has ended, and a file that exists is gone on with. A run of the proxy
takes about half a minute.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m benchmarks.surrogate.scales")

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from scipy.stats import spearmanr

import search_spaces
from benchmarks.surrogate import draws, small_spaces
from benchmarks.surrogate.record import Row, measured, read
from search_spaces.domains import Value
from storage.location import local_argument
from terminal.command_line import OneLineParser
from terminal.console import Console
from terminal.option_numbers import at_least_one
from trainable.config import TrainConfig
from trainable.data.preparation import prepare
from tuner.plan.cost import tokens_of

SPACE = "parameter_golf"


def points(count: int) -> list[dict[str, Value]]:
    """The base and ``count - 1`` other points of the space without sizes, near the base and at random by turns."""
    space = search_spaces.load(SPACE)
    base = space.values_of(space.scale("proxy").base)
    found = [base]
    for number in range(1, count):
        generator = np.random.default_rng([12, number])
        found.append(draws.near(space, base, generator) if number % 2 else draws.at_random(space, generator))
    return found


def bases() -> dict[str, TrainConfig]:
    """The base at the proxy's scale and at the small one."""
    return {"proxy": search_spaces.load(SPACE).scale("proxy").base, "small": small_spaces.load(SPACE).base}


def show(console: Console, rows: Sequence[Row]) -> None:
    """Print both ends of every config, and the rank correlation over those that completed at both scales."""
    ends: dict[int, dict[str, float]] = {}
    for row in rows:
        if row["status"] == "completed":
            ends.setdefault(row["number"], {})[row["scale"]] = row["rungs"][-1]
    both = {number: each for number, each in ends.items() if len(each) == 2}
    for number, each in both.items():
        console.print(f"config {number}: {each['proxy']:.4f} at the proxy, {each['small']:.4f} at the small scale")
    if len(both) > 2:
        found = spearmanr([e["proxy"] for e in both.values()], [e["small"] for e in both.values()])
        console.print(f"rank correlation over {len(both)} configs: {found.statistic:.2f} (p {found.pvalue:.2g})")


def main(arguments: Sequence[str] | None = None) -> int:
    """Train what is not kept yet, and print the comparison."""
    parser = OneLineParser(prog="python -m benchmarks.surrogate.scales", description=__doc__)
    parser.add_argument("file", type=local_argument)
    parser.add_argument("--configs", type=at_least_one, default=16)
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    space, rows = search_spaces.load(SPACE), read(given.file)
    done = {(row["number"], row["scale"]) for row in rows}
    data = {name: prepare(base.data, train_tokens_needed=tokens_of(base)) for name, base in bases().items()}
    for number, values in enumerate(points(given.configs)):
        for scale, base in bases().items():
            if (number, scale) not in done:
                config = space.config(base, at_scale(values, scale))
                row: dict[str, Any] = {"number": number, "scale": scale, "values": values}
                row |= measured(replace(config, seed=base.seed), space.objective, data[scale])
                rows.append(row)
                with given.file.open("a") as out:
                    out.write(json.dumps(row) + "\n")
    show(Console(width=120), rows)
    return 0


def at_scale(values: dict[str, Value], scale: str) -> dict[str, Value]:
    """Values with the encoder of the scale: of four layers at the proxy, of half as many in half as many layers."""
    layers = values.get("model.encoder_layers")
    assert isinstance(layers, int)
    return values if scale == "proxy" else {**values, "model.encoder_layers": layers // 2}


if __name__ == "__main__":
    raise SystemExit(main())
