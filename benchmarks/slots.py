"""Load of the driver with many slots, on a simulated clock: ``python -m benchmarks.slots``.

    python -m benchmarks.slots --slots 64 256 1000 --samplers tpe-uniform gp --trials-a-slot 3

The search is the product's own, with its sampler, early stopping and rows on this disk; trials are played, each for
about 30 s. A driver does one thing at a time: where its processor time a simulated second comes near 1, slots begin to
wait for it. ``most slots`` is the number at which that would be so, by the measured processor time of a trial. The cost
of Ray itself is not in it (``benchmarks/overhead.py`` has that).
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m benchmarks.slots")

import json
import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from zlib import crc32

import optuna
from rich.table import Table

from benchmarks.played_search import played_search
from benchmarks.simulated_campaign import SCALE, SPACE, played_result
from results.store.campaign_folder import Store
from search_spaces import load
from storage.location import local_argument
from storage.target import check_file_to_write
from terminal.command_line import OneLineParser
from terminal.console import Console
from terminal.option_numbers import at_least_one
from trainable.config import TrainConfig
from trainable.worker.request import Request
from tuner.early_stopping import PREDICTIVE
from tuner.plan.simulated_clock import SimulatedClock
from tuner.proposals.sampler import Sampler
from tuner.search_loop import Search
from tuner.search_methods import GP, METHODS, TPE_UNIFORM

SECONDS = 30.0  # of a trial, give or take a fifth
SLOTS, TRIALS_A_SLOT = (64, 256, 1000), 3
HEADINGS = (
    "slots",
    "sampler",
    "trials",
    "reports/s",
    "CPU a trial",
    "asking",
    "longest ask",
    "load",
    "most slots",
    "MiB",
)


@dataclass
class Costs:
    """Processor seconds of a driver, by what it did."""

    asks: list[float] = field(default_factory=list)
    others: float = 0.0
    reports: int = 0

    @property
    def seconds(self) -> float:
        return sum(self.asks) + self.others


class Load:
    """A search whose trials are played in so many slots."""

    def __init__(self, search: Search) -> None:
        self.search, self.costs, self.clock = search, Costs(), SimulatedClock()

    def run(self) -> None:
        """Run it to its end."""
        while not self.search.exhausted:
            self.clock.run(self._next, self.search.here.slots)

    def _next(self) -> Iterator[float] | None:
        before = time.process_time()
        request = None if self.search.exhausted else self.search.next()
        self.costs.asks.append(time.process_time() - before)
        return None if request is None else self._train(request)

    def _train(self, request: Request) -> Iterator[float]:
        before = time.process_time()
        self.search.start(request.key)
        config = self.search.live[request.key].config
        assert isinstance(config, TrainConfig)
        whole, end = made_up(request.key)
        past, ended = 0.0, False
        for milestone in (*request.milestones, config.budget.amount):
            self.costs.others += time.process_time() - before
            part = milestone / config.budget.amount
            yield (part - past) * whole
            before, past = time.process_time(), part
            result = played_result(config, milestone, end + (1 - part), part == 1.0)
            ended = part == 1.0 or self.search.stopper.ends(request.key, result)
            self.search.report(request.key, result)
            self.costs.reports += 1
            if ended:
                break
        self.search.end(request.key, result)
        self.costs.others += time.process_time() - before


def made_up(key: str) -> tuple[float, float]:
    """The seconds and the end of a trial, by its key."""
    drawn = crc32(key.encode()) / 2**32
    return SECONDS * (0.8 + 0.4 * drawn), 2.5 + crc32(key[::-1].encode()) / 2**32


def row(slots: int, sampler: str, a_slot: int) -> list[str]:
    """The cost of one search of ``a_slot`` trials in each slot to its driver."""
    space = load(SPACE)
    with tempfile.TemporaryDirectory() as folder:
        described = {"space": SPACE, "scale": SCALE, "objective": space.objective}
        store = Store.create(Path(folder) / "campaign", described, space.column_types())
        base = space.scale(SCALE).base
        proposing = Sampler(space, space.values_of(base), 0, method=sampler)
        search = played_search(space, base, store, a_slot * slots, slots, 0, stopper=PREDICTIVE, sampler=proposing)
        played = Load(search)
        played.run()
        search.abandon()
    costs, seconds, trials = played.costs, played.clock.seconds, a_slot * slots
    load_ = costs.seconds / seconds
    mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        str(slots),
        sampler,
        str(trials),
        f"{costs.reports / seconds:.1f}",
        f"{1000 * costs.seconds / trials:.0f} ms",
        f"{1000 * sum(costs.asks) / trials:.0f} ms",
        f"{1000 * max(costs.asks):.0f} ms",
        f"{load_:.2f}",
        f"{slots / load_:,.0f}",
        f"{mib:.0f}",
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; exit code 2 for what is no good."""
    parser = OneLineParser(prog="python -m benchmarks.slots", description=__doc__)
    parser.add_argument("--slots", type=at_least_one, nargs="+", default=list(SLOTS))
    parser.add_argument("--samplers", nargs="+", choices=METHODS, default=[TPE_UNIFORM, GP])
    parser.add_argument("--trials-a-slot", type=at_least_one, default=TRIALS_A_SLOT)
    parser.add_argument("--lines", type=local_argument, help="keep every row here")
    given = parser.parse_args(arguments)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        if given.lines is not None:
            check_file_to_write("--lines", given.lines)
    except (ValueError, OSError) as error:
        return parser.refuse(error)
    printed = Table(title=f"trials of about {SECONDS:.0f} s", title_justify="left")
    for heading in HEADINGS:
        printed.add_column(heading, justify="right")
    for slots in given.slots:
        for sampler in given.samplers:
            cells = row(slots, sampler, given.trials_a_slot)
            printed.add_row(*cells)
            if given.lines is not None:
                with given.lines.open("a") as file:
                    file.write(json.dumps(dict(zip(HEADINGS, cells, strict=True))) + "\n")
    Console(width=130).print(printed)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
