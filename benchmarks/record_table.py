"""Train random configs of a space and keep their curves, for the simulator: ``python -m benchmarks.record_table FILE``.

The model is the proxy's, cut until a trial takes seconds; every trial is trained whole, with a report at each ninth of
its budget. One line of JSON a trial: the sampled values, the status, seconds, and milestone -> objective. A file that
exists is gone on with, so that a table can be recorded in pieces.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m benchmarks.record_table")

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

import optuna
import torch

import search_spaces
from search_spaces.domains import Value
from search_spaces.space import Space
from storage.location import local_argument
from terminal.command_line import OneLineParser
from terminal.option_numbers import at_least_one, positive
from trainable.config import TrainConfig
from trainable.data.dataset import Dataset
from trainable.data.preparation import prepare
from trainable.run import Run
from trainable.runtime import Runtime
from trainable.train import train
from tuner.plan.cost import tokens_of
from tuner.proposals.sampler import suggest

REPORTS = 9  # evenly over a trial's budget: the ninths that are played again
SMALL = {  # on top of the proxy
    "model.num_layers": 4, "model.model_dim": 32, "data.vocab_size": 300, "data.seq_len": 32,
    "data.batch_tokens": 1024, "evaluation.tokens": 8192, "evaluation.seq_len": 32, "budget.steps": 90,
}  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Record until there are enough rows or the minutes are over; exit code 2 for what is no good."""
    parser = OneLineParser(prog="python -m benchmarks.record_table", description=__doc__)
    parser.add_argument("file", type=local_argument)
    parser.add_argument("--space", default="parameter_golf")
    parser.add_argument("--trials", type=at_least_one, default=300)
    parser.add_argument("--minutes", type=positive("minutes", 10**6), default=30.0, help="end after so many")
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    try:
        whole = search_spaces.load(given.space)
        base, space = whole.fixed(whole.scale("proxy").base, SMALL)
    except ValueError as error:
        return parser.refuse(error)
    dataset = prepare(base.data, train_tokens_needed=tokens_of(base))
    done = len(given.file.read_text().splitlines()) if given.file.exists() else 0
    until = time.monotonic() + given.minutes * 60
    while done < given.trials and time.monotonic() < until:
        row = record(space, base, dataset, None if done == 0 else done)
        with given.file.open("a") as file:
            file.write(json.dumps(row) + "\n")
        done += 1
    return 0


def random_values(space: Space, seed: int) -> dict[str, Value]:
    """A random point; the number of the row is its seed."""
    trial = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed)).ask()
    values: dict[str, Value] = {}
    for knob in space.knobs:
        if space.active(knob, values):
            values[knob.path] = suggest(trial, knob.path, knob.domain)
    return values


def record(space: Space, base: TrainConfig, dataset: Dataset, seed: int | None) -> dict[str, Any]:
    """Train one config to its end; without a seed, the base."""
    values: Mapping[str, Value] = space.values_of(base) if seed is None else random_values(space, seed)
    row: dict[str, Any] = {"values": dict(values), "status": "infeasible", "curve": {}, "seconds": 0.0}
    try:
        config = space.config(base, values)
    except ValueError:
        return row
    amount = config.budget.amount
    milestones = [round(amount * part / REPORTS) for part in range(1, REPORTS)]
    for report in train(Run.start(config, dataset, Runtime.detect()), milestones):
        row["status"], row["seconds"] = report.status, report.seconds
        value = getattr(report, space.objective)
        if value is not None:
            row["curve"][f"{report.milestone / amount:.4f}"] = value
    return row


if __name__ == "__main__":
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    main()
