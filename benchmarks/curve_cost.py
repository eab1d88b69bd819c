"""The price of keeping a trial's training curve with its monitors: ``python -m benchmarks.curve_cost [--pairs N]``.

Three runs of one config take their steps in turns: without a curve, with one, and with all monitors too, at every step.
So a busy machine slows all three; ratios and shares are medians over neighbouring steps. From the shares of recording
alone follows what it costs where one step in so many is monitored. At the end: what a report adds, and what the curve
takes on disk. One thread is used, as in a trial; on a CPU the process's own time counts, which others do not lengthen.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m benchmarks.curve_cost")

import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch

import search_spaces
from results.store import parquet
from results.store.curves import TrainingCurve
from terminal.command_line import OneLineParser
from terminal.console import Console
from terminal.option_numbers import at_least_one, whole_number
from trainable import train
from trainable.compiled_objective import build_objective
from trainable.component_paths import with_values
from trainable.config import Budget, TrainConfig
from trainable.curve import CurveRecorder
from trainable.curve_points import Points
from trainable.data.dataset import Dataset
from trainable.data.preparation import prepare
from trainable.monitors import EVERYTHING, Monitors, steps_between
from trainable.objective import ObjectiveFunction, next_step
from trainable.recording import StepRecording
from trainable.run import Run
from trainable.runtime import Runtime
from trainable.thinning import POINTS_OF_A_CURVE, Thinning

WARM_UP_STEPS = 5
KEY = "0123456789abcdef"


class Timed(StepRecording):
    """A recording that adds up how long it takes."""

    seconds = 0.0

    def __init__(self, *arguments: Any) -> None:
        with timed():
            super().__init__(*arguments)

    @contextmanager
    def of_update(self) -> Iterator[None]:
        block = super().of_update()
        with timed():
            block.__enter__()
        yield
        with timed():
            block.__exit__(None, None, None)

    def end(self) -> None:
        with timed():
            super().end()


@contextmanager
def timed() -> Iterator[None]:
    started = now()
    yield
    Timed.seconds += now() - started


def now() -> float:
    """Seconds of this process on a CPU, of the clock beside a GPU."""
    if not torch.cuda.is_available():
        return time.process_time()
    torch.cuda.synchronize()
    return time.perf_counter()


@dataclass(frozen=True)
class Neighbours:
    """Seconds of three neighbouring steps, and what recording alone took of two of them."""

    plain: float
    curve: float
    curve_alone: float
    monitored: float
    monitored_alone: float


def step_seconds(run: Run, objective: ObjectiveFunction) -> tuple[float, float]:
    """Take a step, as ``train`` does, and wait for the device; the seconds of it all and of recording alone."""
    before, started = Timed.seconds, now()
    step, run.position = next_step(run, objective, run.config.budget.fraction(run.spent))
    run.account(train.take(run, step))
    return now() - started, Timed.seconds - before


def measure(
    config: TrainConfig, dataset: Dataset, runtime: Runtime, monitors: Monitors, steps: int
) -> tuple[Run, list[Neighbours]]:
    """The run with its curve and monitors, and the seconds of neighbouring steps of runs with less and less of them."""
    runs = []
    for curve in (CurveRecorder.of_nothing(), without_monitors(), every_step()):
        run = Run.start(config, dataset, runtime, monitors)
        run.curve = curve
        runs.append((run, build_objective(run)))
    found = []
    for number in range(steps + WARM_UP_STEPS):
        order = [(number + place) % 3 for place in range(3)]  # none is always the first
        seconds = {place: step_seconds(*runs[place]) for place in order}
        found.append(Neighbours(seconds[0][0], *seconds[1], *seconds[2]))
    return runs[2][0], found[WARM_UP_STEPS:]


def without_monitors() -> CurveRecorder:
    curve = CurveRecorder()
    curve.monitored = CurveRecorder.of_nothing().monitored
    return curve


def every_step() -> CurveRecorder:
    """A curve whose monitors measure at each step."""
    curve = CurveRecorder()
    curve.monitored = Points(Thinning(stride=1, most=POINTS_OF_A_CURVE))
    return curve


def spread(values: Sequence[float], unit: str, digits: int = 2) -> str:
    low, middle, high = statistics.quantiles(values, n=4)
    return f"{middle:.{digits}f} {unit} ({low:.{digits}f} .. {high:.{digits}f})"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the cost at the proxy scale, or of a model of another width."""
    parser = OneLineParser(prog="python -m benchmarks.curve_cost", description=__doc__)
    parser.add_argument("--pairs", type=at_least_one, default=100, help="neighbouring steps (default: 100)")
    parser.add_argument("--space", default="parameter_golf", choices=search_spaces.names())
    parser.add_argument("--width", type=whole_number(8, 65536), metavar="N", help="model_dim (default: the proxy's)")
    parser.add_argument("--compile", action="store_true", help="compile the networks")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    runtime = Runtime.detect(compile=options.compile)
    console = Console(goes_on=True)
    steps = max(2, options.pairs)
    base = search_spaces.load(options.space).scale("proxy").base
    config = replace(base, budget=Budget(steps=steps + WARM_UP_STEPS), horizon=None)
    width = {} if options.width is None else {"model.model_dim": options.width}
    config = with_values(config, {"hooks.GradientClip.max_norm": 1.0, **width})
    dataset = prepare(config.data, say=console.print)
    train.StepRecording = Timed  # type: ignore[misc]
    run, found = measure(config, dataset, runtime, EVERYTHING, steps)
    about = f"torch {torch.__version__}, {runtime.device_name}, {runtime.precision}, one thread"
    console.print(f"{options.space}, {run.num_parameters:,} parameters; {about}; median (quartiles) of {steps} steps")
    print_shares(console, found, steps_between(runtime.device_type))
    print_report(console, run)


def print_shares(console: Console, found: Sequence[Neighbours], every: int) -> None:
    """Print what recording takes, in parts of a step."""
    curve = [100 * f.curve_alone / f.curve for f in found]
    monitored = [100 * f.monitored_alone / f.plain for f in found]
    share = statistics.median(curve) + (statistics.median(monitored) - statistics.median(curve)) / every
    console.print(f"  step without a curve   {spread([1000 * f.plain for f in found], 'ms')}")
    console.print(f"  curve: with / without  {spread([f.curve / f.plain for f in found], '', 4)}")
    console.print(f"  curve alone            {spread(curve, '% of its step', 3)}")
    console.print(f"  monitors too, alone    {spread(monitored, '% of a step, where they measure', 3)}")
    console.print(f"  both, one in {every:<3}       {share:.3f} % of a step: such a step has monitors, the others not")


def print_report(console: Console, run: Run) -> None:
    """Print what a report adds, on the worker and on the driver, and the bytes of the file."""
    TrainingCurve(**run.curve.plain()).table(KEY, 0)  # loads what is loaded once
    started = now()
    plain = run.curve.plain()
    read = now()
    content = parquet.of_many_rows(TrainingCurve(**plain).table(KEY, 0))
    written = now()
    points = f"{len(plain['steps'])} of at most {POINTS_OF_A_CURVE} points, {len(plain['values'])} names"
    reading, laying_out = 1000 * (read - started), 1000 * (written - read)
    console.print(f"  a report               {reading:.2f} ms to read, {laying_out:.1f} ms to lay out")
    console.print(f"  the file               {len(content):,} bytes: {points}, monitors at each of them")


if __name__ == "__main__":
    main()
