"""The price of keeping a trial's training curve: ``python -m benchmarks.curve_cost [--pairs N]``.

Two runs of one config take their steps in turns, one with its curve and one without, so that a busy machine slows both;
the ratio is the median over neighbouring pairs. Recording alone is timed beside it, as a share of its own step. At the
end: what a report adds, and what the curve takes on disk. One thread is used, as in a trial.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m benchmarks.curve_cost")

import statistics
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

import search_spaces
from results.store import parquet
from results.store.curves import TrainingCurve
from terminal.command_line import OneLineParser
from terminal.console import Console
from terminal.option_numbers import at_least_one
from trainable import train
from trainable.compiled_objective import build_objective
from trainable.config import Budget, TrainConfig
from trainable.curve import CurveRecorder, Taken
from trainable.data.dataset import Dataset
from trainable.data.preparation import prepare
from trainable.objective import ObjectiveFunction, next_step
from trainable.run import Run
from trainable.runtime import Runtime
from trainable.thinning import POINTS_OF_A_CURVE

WARM_UP_STEPS = 5
KEY = "0123456789abcdef"


class Timed(CurveRecorder):
    """A curve that knows how long its last step took to record."""

    seconds = 0.0

    def add(self, taken: Taken) -> None:
        started = time.perf_counter()
        super().add(taken)
        self.seconds = time.perf_counter() - started


class Off(CurveRecorder):
    """No curve."""

    def add(self, taken: Taken) -> None:
        """Record nothing."""


def step_seconds(run: Run, objective: ObjectiveFunction) -> float:
    """Take a step, as ``train`` does, and wait for the device."""
    run.runtime.synchronize()
    started = time.perf_counter()
    step, run.position = next_step(run, objective, run.config.budget.fraction(run.spent))
    run.account(train.take(run, step))
    run.runtime.synchronize()
    return time.perf_counter() - started


def measure(config: TrainConfig, dataset: Dataset, runtime: Runtime, pairs: int) -> tuple[Run, list[Any]]:
    """The run with a curve, and for each pair: seconds with, seconds without, seconds of recording alone."""
    runs = []
    for curve in (Timed(), Off()):
        run = Run.start(config, dataset, runtime)
        run.curve = curve
        runs.append((run, build_objective(run)))
    found = []
    for number in range(pairs + WARM_UP_STEPS):
        order = runs if number % 2 else runs[::-1]  # neither is always the first
        seconds = {id(run): step_seconds(run, objective) for run, objective in order}
        (recorded, _), (plain, _) = runs
        assert isinstance(recorded.curve, Timed)
        found.append((seconds[id(recorded)], seconds[id(plain)], recorded.curve.seconds))
    return runs[0][0], found[WARM_UP_STEPS:]


def spread(values: Sequence[float], unit: str, digits: int = 2) -> str:
    low, middle, high = statistics.quantiles(values, n=4)
    return f"{middle:.{digits}f} {unit} ({low:.{digits}f} .. {high:.{digits}f})"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the cost at the proxy scale."""
    parser = OneLineParser(prog="python -m benchmarks.curve_cost", description=__doc__)
    parser.add_argument("--pairs", type=at_least_one, default=400, help="neighbouring pairs of steps (default: 400)")
    parser.add_argument("--space", default="parameter_golf", choices=search_spaces.names())
    parser.add_argument("--compile", action="store_true", help="compile the networks")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    runtime = Runtime.detect(compile=options.compile)
    console = Console(goes_on=True)
    base = search_spaces.load(options.space).scale("proxy").base
    config = replace(base, budget=Budget(steps=options.pairs + WARM_UP_STEPS), horizon=None)
    dataset = prepare(config.data, say=console.print)
    run, pairs = measure(config, dataset, runtime, max(2, options.pairs))
    about = f"torch {torch.__version__}, {runtime.device_name}, {runtime.precision}, one thread"
    console.print(f"{options.space}, proxy; {about}; median (quartiles) of {len(pairs)} neighbouring pairs of steps")
    console.print(f"  step without a curve   {spread([1000 * plain for _, plain, _ in pairs], 'ms')}")
    console.print(f"  with / without         {spread([with_ / plain for with_, plain, _ in pairs], '', 4)}")
    console.print(
        f"  recording alone        {spread([100 * add / with_ for with_, _, add in pairs], '% of its step', 3)}"
    )
    print_report(console, run)


def print_report(console: Console, run: Run) -> None:
    """Print what a report adds, on the worker and on the driver, and the bytes of the file."""
    plain = run.curve.plain()
    TrainingCurve(**plain).table(KEY, 0)  # loads what is loaded once
    started = time.perf_counter()
    plain = run.curve.plain()
    read = time.perf_counter()
    content = parquet.of_many_rows(TrainingCurve(**plain).table(KEY, 0))
    written = time.perf_counter()
    points = f"{len(plain['steps'])} of at most {POINTS_OF_A_CURVE} points, {len(plain['values'])} names"
    reading, laying_out = 1000 * (read - started), 1000 * (written - read)
    console.print(f"  a report               {reading:.2f} ms to read, {laying_out:.1f} ms to lay out")
    console.print(f"  the file               {len(content):,} bytes: {points}")


if __name__ == "__main__":
    main()
