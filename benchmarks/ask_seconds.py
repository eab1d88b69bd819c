"""Seconds in which a sampler proposes a trial, by the trials that it knows and those that run.

    python -m benchmarks.ask_seconds --methods gp tpe

Trials of the space are made up: random points whose ends follow from where their knobs lie, a fifth of them stopped
early and a tenth out of memory. Models are fitted now and then, so that the mean and the longest ask are shown. The
very first ask of a process also loads what torch optimises with; it is made beforehand.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m benchmarks.ask_seconds")

import time
from collections.abc import Sequence

import numpy as np
from rich.table import Table

import search_spaces
from search_spaces.space import Space
from terminal.command_line import OneLineParser
from terminal.console import Console
from terminal.option_numbers import at_least_one
from tuner.campaign.trial_end import TrialEnd
from tuner.failures import OUT_OF_MEMORY
from tuner.proposals.coordinates import Coordinates
from tuner.proposals.sampler import Sampler
from tuner.search_methods import BY_ITSELF, GP, METHODS, TPE

ASKS = 20  # with all running trials open
STOPPED, FAILED = 0.2, 0.1
RUNG = 100.0
FEW = 20  # trials of what is run beforehand


def made_up(space: Space, count: int, seed: int = 0) -> list[TrialEnd]:
    """Ends of so many random points."""
    generator, coordinates = np.random.default_rng(seed), Coordinates(space)
    rows = coordinates.settled(np.full((count, len(space.knobs)), np.nan), generator)
    found = []
    for row, draw in zip(rows, generator.random(count), strict=True):
        end = float(((np.nan_to_num(row, nan=0.5) - 0.6) ** 2).mean() + 0.01 * generator.normal()) + 3
        attributes = {"train_seconds": 60 + 30 * float(row[0])}
        status, value = ("stopped", None) if draw < STOPPED else ("completed", end)
        if draw > 1 - FAILED:
            status, value = OUT_OF_MEMORY, None
        reached = {RUNG: end + 1} if status != OUT_OF_MEMORY else {}
        found.append(TrialEnd(coordinates.values(row), status, value, reached, attributes=attributes))
    return found


def measured(space: Space, method: str, trials: int, running: int) -> tuple[float, float]:
    """CPU seconds of an ask with ``running`` trials open: the mean and the longest of many, between which trials end.

    Those that open the running trials are among them: the first fits all models.
    """
    first, *more = made_up(space, trials + ASKS)
    sampler = Sampler(space, first.values, 0, earlier=[first, *more[: trials - 1]], base_known=True, method=method)
    seconds = []
    for number in range(running + ASKS):
        if number >= running:
            sampler.add(more[trials - 1 + number - running])
        started = time.process_time()
        asked = sampler.ask()
        seconds.append(time.process_time() - started)
        if number >= running:
            sampler.tell(asked.number, "interrupted", None)
    return float(np.mean(seconds[running:])), max(seconds)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a row for each number of trials and of running ones; exit code 2 for what is no good."""
    parser = OneLineParser(prog="python -m benchmarks.ask_seconds", description=__doc__)
    parser.add_argument("--space", default="parameter_golf")
    parser.add_argument(
        "--methods", nargs="+", default=[GP, TPE], choices=[name for name in METHODS if name != BY_ITSELF]
    )
    parser.add_argument("--trials", type=at_least_one, nargs="+", default=[100, 500, 1000, 2000])
    parser.add_argument("--running", type=at_least_one, nargs="+", default=[1, 8, 64])
    given = parser.parse_args(arguments)
    try:
        space = search_spaces.load(given.space)
    except ValueError as error:
        return parser.refuse(error)
    printed = Table(title=f"{given.space}, {len(space.knobs)} knobs: CPU seconds of an ask", title_justify="left")
    for heading in (
        "trials",
        "running",
        *(f"{name}: {what}" for name in given.methods for what in ("mean", "longest")),
    ):
        printed.add_column(heading)
    for method in given.methods:
        measured(space, method, FEW, 1)
    for trials in given.trials:
        for running in given.running:
            cells = [f"{s:.3f}" for name in given.methods for s in measured(space, name, trials, running)]
            printed.add_row(f"{trials:,}", str(running), *cells)
    Console(width=120).print(printed)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
