"""Train configs of a small space and keep their curves: ``python -m benchmarks.surrogate.record FOLDER``.

    nice -n 19 python -m benchmarks.surrogate.record FOLDER --trained 1500
    nice -n 19 python -m benchmarks.surrogate.record FOLDER --trained 300 --space ngpt

Every row is one line of JSON in ``FOLDER/SPACE.jsonl``, written as soon as its run has ended; a file that exists is
gone on with, so hours can be recorded in pieces. Configs are drawn by turns (``draws.py``): at random, near the base,
and chosen by what has been recorded (by TPE and by crossing the best). Each has a seed of its own, and every tenth is
a recorded config with another seed. Runs that diverge, are no valid run or do not fit into memory are kept.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m benchmarks.surrogate.record")

import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.surrogate import draws, small_spaces
from benchmarks.surrogate.small_spaces import RUNGS, SmallSpace
from benchmarks.surrogate.trainings import whole_lines
from search_spaces.domains import Value
from storage.location import local_argument
from terminal.command_line import OneLineParser
from terminal.option_numbers import at_least_one, positive
from trainable.config import TrainConfig
from trainable.data.dataset import Dataset
from trainable.data.preparation import prepare
from trainable.run import Run
from trainable.runtime import Runtime
from trainable.train import train
from tuner.campaign.trial_end import TrialEnd
from tuner.failures import OUT_OF_MEMORY
from tuner.plan.cost import tokens_of
from tuner.proposals.sampler import Sampler

CURVE_POINTS = 32  # means of the training loss over equal parts of a run
FIRST = 4  # rows of the base, which tell the noise from the beginning
TURNS = ("random", "near", "TPE", "random", "near", "cross", "random", "near", "TPE", "replicate")
TPE_FEWEST = 40  # recorded rows before TPE is asked
INVALID = "infeasible"  # as the search calls it

Row = dict[str, Any]


def trained(rows: Sequence[Row]) -> list[Row]:
    """The rows that took a training."""
    return [row for row in rows if row["status"] in ("completed", "diverged")]


def finished(rows: Sequence[Row]) -> list[Row]:
    """The rows with a final value, best first."""
    return sorted((row for row in rows if row["status"] == "completed"), key=lambda row: float(row["rungs"][-1]))


class Drawer:
    """Drawer of the next config: by turns, and the same after a restart as long as TPE is not asked."""

    def __init__(self, small: SmallSpace) -> None:
        self.small = small
        self.base = small.space.values_of(small.base)
        self.sampler: Sampler | None = None
        self.told = 0

    def next(self, rows: Sequence[Row]) -> tuple[str, dict[str, Value]]:
        """The way in which the next row is drawn, and its values."""
        generator, kind = np.random.default_rng([20, len(rows)]), TURNS[len(rows) % len(TURNS)]
        if len(rows) < FIRST:
            return "base", dict(self.base)
        if kind == "near":
            return kind, draws.near(self.small.space, self.base, generator)
        ranked = [row["values"] for row in finished(rows)]
        if kind == "replicate":
            return kind, self.again(rows, ranked, generator)
        if kind == "TPE" and len(rows) >= TPE_FEWEST:
            return kind, self.ask(rows)
        if kind == "cross" and len(ranked) >= draws.FEWEST_PARENTS:
            return kind, draws.child(self.small.space, ranked, generator)
        return "random", draws.at_random(self.small.space, generator)

    def again(self, rows: Sequence[Row], ranked: Sequence[Mapping[str, Value]], generator: np.random.Generator) -> Any:
        """A recorded config for another seed: the base, one of the better half, or any that was trained."""
        draw = generator.random()
        if draw < 0.2:
            return dict(self.base)
        better = ranked[: max(1, len(ranked) // 2)]
        among = better if draw < 0.7 else [row["values"] for row in trained(rows)]
        return dict(among[int(generator.integers(len(among)))])

    def ask(self, rows: Sequence[Row]) -> dict[str, Value]:
        """A point of our own TPE, which is told all rows."""
        if self.sampler is None:
            self.sampler = Sampler(self.small.space, self.base, seed=len(rows), base_known=True)
        for row in rows[self.told :]:
            value = row["rungs"][-1] if row["status"] == "completed" else None
            self.sampler.add(TrialEnd(row["values"], row["status"], value))
        self.told = len(rows)
        suggestion = self.sampler.ask()
        self.sampler.tell(suggestion.number, "interrupted", None)  # its end comes with the rows
        return suggestion.values


def record(small: SmallSpace, values: Mapping[str, Value], seed: int, dataset: Dataset) -> Row:
    """Train one config to its end. Seconds are those of this process's CPU, so that a busy machine tells them too."""
    row: Row = {"values": dict(values), "seed": seed, "status": INVALID, "rungs": [], "train": [], "seconds": 0.0}
    try:
        config = small.config(values)
    except ValueError:
        return row
    row |= {"bytes": small_spaces.estimated_bytes(config), "flops": flops(config, dataset)}
    if not small.fits(config):
        return row | {"status": OUT_OF_MEMORY}
    return row | measured(replace(config, seed=seed), small.space.objective, dataset)


def measured(config: TrainConfig, objective: str, dataset: Dataset) -> Row:
    """Status, validation at the rungs, training curve and seconds of a run."""
    started, values, status = time.process_time(), [], "running"
    run = Run.start(config, dataset, Runtime("cpu"))
    for report in train(run, [config.budget.amount * part for part in RUNGS[:-1]]):
        status, value = report.status, getattr(report, objective)
        if value is not None and math.isfinite(value):
            values.append(round(float(value), 6))
    losses = np.array(run.curve.plain()["values"].get("loss", []), dtype=float)
    curve = [round(float(part.mean()), 5) for part in np.array_split(losses, CURVE_POINTS) if len(part)]
    return {
        "status": status,
        "rungs": values,
        "train": [x if math.isfinite(x) else None for x in curve],
        "steps": run.spent.steps,
        "seconds": round(time.process_time() - started, 4),
    }


def flops(config: TrainConfig, dataset: Dataset) -> float:
    """The operations of a whole run, by the model's own count."""
    return config.model.flops_per_token(dataset.vocab_size, config.data.seq_len) * config.budget.amount


def read(file: Path) -> list[Row]:
    """The rows of a file to go on with; a last line that a killed process left half-written is cut off."""
    text = file.read_text() if file.exists() else ""
    whole, newline, torn = text.rpartition("\n")
    if torn:
        file.write_text(whole + newline)
    return whole_lines(text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Record until so many runs were trained or the minutes are over; exit code 2 for what is no good."""
    parser = OneLineParser(prog="python -m benchmarks.surrogate.record", description=__doc__)
    parser.add_argument("folder", type=local_argument)
    parser.add_argument("--space", default="parameter_golf")
    parser.add_argument("--trained", type=at_least_one, default=1500, help="runs in the file that were trained")
    parser.add_argument("--minutes", type=positive("minutes", 10**6), default=10**6, help="end after so many")
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    file = given.folder / f"{given.space}.jsonl"
    try:
        small = small_spaces.load(given.space)
        given.folder.mkdir(parents=True, exist_ok=True)
        rows = read(file)
    except (ValueError, OSError) as error:
        return parser.refuse(error)
    drawer = Drawer(small)
    dataset = prepare(small.base.data, train_tokens_needed=tokens_of(small.base))
    until = time.monotonic() + given.minutes * 60
    while len(trained(rows)) < given.trained and time.monotonic() < until:
        kind, values = drawer.next(rows)
        row = {"kind": kind, **record(small, values, seed=10_000 + len(rows), dataset=dataset)}
        rows.append(row)
        with file.open("a") as out:
            out.write(json.dumps(row) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
