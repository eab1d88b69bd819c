"""The time left, said against true: ten campaigns under a simulated clock. ``python -m benchmarks.time_left``

Each campaign is run by the product's own ``Search``: sampler, early stopping, confirmation, book. Only the training is
played. Eight are searches of the five spaces. A config has the recorded value of the run nearest to it in knobs (golf:
the curve and seconds of results/recorded/golf.jsonl, else runs.csv and a curve of that shape), with an offset of its
own and a run's noise, as in the replays that are kept; its seconds grow with its FLOPs. The other two are the replays
of results/recorded with the seconds that each of their trainings took. A machine's speed drifts, a leg's varies, a
worker's first start takes longer.

After a quarter, a half and three quarters of the time each campaign is asked how long it still takes. Beside it stands
what the display said before: the mean of the ended trials, times those still to end, over the slots.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m benchmarks.time_left")

import heapq
import json
import math
import statistics
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from rich.table import Table as Printed

from benchmarks import tables
from benchmarks.played_search import played_search
from benchmarks.simulator import MemoryStore
from results import load as load_results
from results.design import Design
from search_spaces import load, recorded
from search_spaces.space import Space
from terminal.command_line import OneLineParser
from terminal.console import Console
from terminal.option_numbers import at_least_one
from trainable.component_json import decode
from trainable.config import TrainConfig
from trainable.data.preparation import known_vocab_size
from trainable.worker.request import Request
from tuner.cli.time_left_of_search import time_left_of
from tuner.early_stopping import DEFAULT_STOPPER
from tuner.plan.time_left import Span
from tuner.proposals import replay_plan
from tuner.search_loop import Search
from tuner.spec import Replay

PARTS = (0.25, 0.5, 0.75)  # of a campaign's time, after which it is asked
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
RECORDED = Path(__file__).parents[1] / "results" / "recorded"
GAP, SET_UP, FIRST_SET_UP = 0.25, 0.5, 8.0  # seconds: between trials, of a start, of a worker's first (the replays)
EVALUATION = 0.03  # of a whole trial's training; with three of them a tenth, as in the replays
DRIFT, LEG = 0.1, 0.05  # how much a machine's speed changes over a campaign, and that of a leg (SD)
OWN = 0.5  # SD of a config's own offset, as a part of that of the recorded values


@dataclass(frozen=True)
class Case:
    """One campaign: a space, how it is searched, and how long a whole trial of its base takes in seconds."""

    name: str
    space: str
    trials: int
    slots: int
    seconds: float
    stopper: str = DEFAULT_STOPPER
    confirm: str = "3x3..9"
    noise: float | None = None  # SD of a run, as measured; None: a tenth of that of the recorded values
    replay: bool = False


CASES = (
    Case("golf, as make run", "parameter_golf", 24, 2, 40, noise=0.0138),
    Case("golf, 8 slots", "parameter_golf", 24, 8, 120, noise=0.0138),
    Case("golf, 100 trials", "parameter_golf", 100, 4, 600, noise=0.0138),
    Case("golf, 12 trials, 1 slot", "parameter_golf", 12, 1, 60, noise=0.0138),
    Case("nGPT", "ngpt", 24, 2, 100, noise=0.0138),
    Case("mainrun, Hyperband", "mainrun", 40, 4, 1200, "hyperband"),
    Case("nanochat, none confirmed", "nanochat", 24, 8, 300, confirm=""),
    Case("speedrun, nothing stopped", "speedrun", 16, 4, 900, "none", "3x3"),
    Case("replay of the golf log", "parameter_golf", 142, 2, 0, "none", "", replay=True),
    Case("replay of nGPT's log", "ngpt", 57, 2, 0, "none", "", replay=True),
)


class World:
    """The trainings of a case: what a run's values are on its way, and how many seconds it takes."""

    def __init__(self, case: Case, seed: int) -> None:
        self.case, self.seed, self.space = case, seed, load(case.space)
        self.scale = "replay" if case.replay and case.space == "parameter_golf" else "proxy"
        base = self.space.scale(self.scale).base
        assert isinstance(base, TrainConfig)
        self.base = base if case.replay else replace(base, seed=1_000_000 * seed + 7)
        self.table = None if case.replay else _landscape(self.space, self.base)
        self.taken = _replayed(case) if case.replay else {}
        if self.table is not None:
            finals = [row.final for row in self.table.rows if math.isfinite(row.final)]
            self.spread = float(np.std(finals))
            self.noise = case.noise or 0.1 * self.spread

    def number(self, config: TrainConfig) -> int:
        assert self.table is not None
        return int(np.argmin(self.table.space.distances(self.space.values_of(config))))

    def value(self, config: TrainConfig, progress: float) -> float:
        """The objective after a part of the budget; NaN where the run has diverged."""
        if self.table is None:
            return 1.0
        row = self.table.rows[self.number(config)]
        parts = np.arange(1, tables.PARTS + 1) / tables.PARTS
        seen = float(np.interp(progress, parts, row.curve))
        own = OWN * self.spread * _draw(f"{replace(config, seed=0)!r}", self.seed)
        return seen + own + self.noise * _draw(f"{config!r} {progress:g}", self.seed)

    def seconds(self, config: TrainConfig, recorded_id: str | None) -> float:
        """Training of a whole run."""
        if recorded_id is not None:
            return self.taken[recorded_id, config.seed]
        assert self.table is not None
        slower = self._flops(config) / self._flops(self.base)
        if self.case.space == "parameter_golf":
            slower = self.table.rows[self.number(config)].seconds / self.table.rows[0].seconds
        return self.case.seconds * slower * math.exp(0.1 * _draw(f"speed {replace(config, seed=0)!r}", self.seed))

    def _flops(self, config: TrainConfig) -> float:
        vocab = known_vocab_size(config.data) or config.data.vocab_size
        return float(config.model.flops_per_token(vocab, config.data.seq_len)) * config.data.batch_tokens


def _draw(name: str, seed: int) -> float:
    """A standard normal number that the name determines."""
    return float(np.random.default_rng((seed, zlib.crc32(name.encode()))).normal())


def _landscape(space: Space, base: TrainConfig) -> tables.Table:
    """Recorded runs as points in the knobs of a space. Curves that were not kept are golf's, in shape."""
    golf = tables.read(RECORDED / "golf.jsonl")
    if space.name == "parameter_golf":
        return replace(golf, space=replace(golf.space, taken=None))
    shape = (golf.rows[0].curve - golf.rows[0].final) / golf.rows[0].final
    rows = []
    for run in recorded.load(space):
        value = run.metrics.get(space.objective) or next(iter(run.metrics.values()), None)
        if run.base is None or value is None:
            continue
        config = recorded.resolve(space, run.id, "as_run", "proxy")
        jitter = np.array([0.01 * _draw(f"{run.id} {part}", 0) for part in range(tables.PARTS - 1)] + [0.0])
        rows.append(tables.Row(space.values_of(config), value * (1 + shape + jitter * shape), 1.0))
    rows = [tables.Row(space.values_of(base), rows[0].curve, 1.0), *rows]
    enough = rows * (1 + tables.FEWEST // len(rows))  # of two rows at one place the first is taken
    return tables.make(space.name, enough, list(space.knobs))


def _replayed(case: Case) -> dict[tuple[str, int], float]:
    """Seconds of each training of a kept replay, by its row of the log and its seed."""
    trials = load_results(RECORDED / case.space).trials
    whole = trials["train_seconds"] + trials["eval_seconds"].fillna(0.0)
    return dict(zip(zip(trials["recorded_id"], trials["seed"].astype(int), strict=True), whole, strict=True))


class Played:
    """A campaign on a simulated clock, which is asked how long it takes when so many seconds have passed."""

    def __init__(self, case: Case, seed: int, folder: Path) -> None:
        self.world, self.case, self.seconds = World(case, seed), case, 0.0
        self.draw = np.random.default_rng((seed, zlib.crc32(case.name.encode())))
        self.phase = self.draw.uniform(0, 2 * math.pi)
        store: Any = MemoryStore(folder, self.world.space.objective)
        store.campaign |= {"space": case.space, "scale": self.world.scale, "replay": {} if case.replay else None}
        design = Design.parse(case.confirm) if case.confirm else None
        self.search = played_search(
            self.world.space,
            self.world.base,
            store,
            case.trials,
            case.slots,
            seed,
            stopper=case.stopper,
            confirm=design or False,
            reports=4 * case.replay,
            planned=self._planned(),
            clock=lambda: self.seconds,
        )
        self.search.ledger.now = lambda: BEGAN + timedelta(seconds=self.seconds)
        self.due: list[tuple[float, int, str, Iterator[float]]] = []
        self.started = 0

    def _planned(self) -> list[replay_plan.Planned] | None:
        if not self.case.replay:
            return None
        space, taken = self.world.space, self.world.taken
        most = max(sum(1 for name, _ in taken if name == one) for one, _ in taken)
        chosen = replay_plan.choose(space, Replay(("all",), seeds=most))
        found = replay_plan.plan(space, self.world.scale, "as_run", chosen, {})
        return [p for p in found if (p.recorded_id, p.config.seed) in taken]

    def run(self, ask_at: Sequence[float], ask: Callable[[Search], None]) -> float:
        """Run to the end, and ask at these seconds on the way; returns the seconds in all."""
        moments = list(ask_at)
        while True:
            while not self.search.exhausted and (request := self.search.next()) is not None:
                self._start(request)
            if not self.due:
                return self.seconds
            while moments and moments[0] <= self.due[0][0]:
                self.seconds = moments.pop(0)
                ask(self.search)
            self.seconds, number, key, trial = heapq.heappop(self.due)
            wait = next(trial, None)
            if wait is not None:
                heapq.heappush(self.due, (self.seconds + wait, number, key, trial))

    def _start(self, request: Request) -> None:
        config = decode(json.loads(request.config))
        assert isinstance(config, TrainConfig)
        heapq.heappush(self.due, (self.seconds + GAP, self.started, request.key, self._train(request, config)))
        self.started += 1

    def _train(self, request: Request, config: TrainConfig) -> Iterator[float]:
        search, key, budget = self.search, request.key, config.budget.amount
        search.start(key)
        begun, first = self.seconds, self.started <= self.case.slots
        yield FIRST_SET_UP if first else SET_UP
        whole = self.world.seconds(config, search.live[key].row["recorded_id"])
        trained = evaluated = last = 0.0
        for milestone in [*request.milestones, budget]:
            drift = 1 + DRIFT * math.sin(self.phase + self.seconds / (8 * max(whole, 1.0)))
            leg = whole * (milestone - last) / budget * drift * math.exp(LEG * self.draw.normal())
            yield leg
            yield EVALUATION * whole
            trained, evaluated, last = trained + leg, evaluated + EVALUATION * whole, milestone
            value = self.world.value(config, milestone / budget)
            status = "diverged" if not math.isfinite(value) else "completed" if milestone == budget else "running"
            times = {"seconds": trained, "eval_seconds": evaluated, "wall_seconds": self.seconds - begun}
            result = self._result(config, milestone, value, status) | times
            done = status != "running" or search.stopper.ends(key, result)
            search.report(key, result)
            if done:
                search.end(key, result)
                return

    def _result(self, config: TrainConfig, milestone: float, value: float, status: str) -> dict[str, Any]:
        return {
            "status": status,
            "milestone": float(milestone),
            "step": int(milestone),
            "tokens": int(milestone),
            config.budget.unit: milestone,
            "progress": milestone / config.budget.amount,
            "val_loss": None,
            self.world.space.objective: value if math.isfinite(value) else None,
            "logged": {},
            "reason": "" if status != "diverged" else "not finite",
        }


def mean_of_the_ended(search: Search) -> float | None:
    """The time left as the display had it before: it is here to be compared with."""
    entries = list(search.ledger.entries.values())
    spent = [seconds for e in entries if e.row["ended_at"] and (seconds := e.row["wall_seconds"])]
    if not spent:
        return None
    running = [float(e.row["train_seconds"] or 0.0) for e in search.live.values()]
    to_start = max(0, search.trials - search.num_started) + len(search.queue.waiting) + search.to_confirm
    mean = sum(spent) / len(spent)
    return max(0.0, (to_start + len(running)) * mean - sum(running)) / search.here.slots


@dataclass(frozen=True)
class Said:
    """Estimate that a campaign gave after a part of its time, and the truth; seconds."""

    true: float
    span: Span | None
    before: float | None

    @property
    def error(self) -> float:
        """Return what was said minus what was true, as a part of the true."""
        return math.inf if self.span is None else self.span.middle / self.true - 1

    @property
    def error_before(self) -> float:
        return math.inf if self.before is None else self.before / self.true - 1

    @property
    def within(self) -> bool:
        return self.span is not None and self.span.low <= self.true <= self.span.high


def asked(case: Case, seed: int) -> tuple[float, list[Said]]:
    """The seconds of a campaign, and what it said after each of the parts: it is run twice, alike."""
    with tempfile.TemporaryDirectory() as folder:
        whole = Played(case, seed, Path(folder)).run((), lambda search: None)
        found: list[Said] = []
        moments = [part * whole for part in PARTS]

        def ask(search: Search) -> None:
            found.append(Said(whole - moments[len(found)], time_left_of(search), mean_of_the_ended(search)))

        assert math.isclose(Played(case, seed, Path(folder)).run(moments, ask), whole), "both runs are alike"
    return whole, found


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line a campaign and the medians; with ``--seeds`` the medians over several runs of each."""
    parser = OneLineParser(prog="python -m benchmarks.time_left", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=at_least_one, default=1, help="runs of each campaign (default: %(default)s)")
    parser.add_argument("--first", type=at_least_one, default=1, help="the first seed (default: %(default)s)")
    given = parser.parse_args(arguments)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    console = Console(goes_on=True, width=None if Console().is_terminal else 150)
    table = Printed(title="time left, said against true, after 1/4, 1/2 and 3/4 of the time", title_justify="left")
    for heading in ("campaign", "seed", "takes", "said", "true", "error", "range holds it", "before: error"):
        table.add_column(heading, justify="left" if heading == "campaign" else "right")
    everything: list[list[Said]] = []
    for case in CASES:
        for seed in range(given.first, given.first + given.seeds):
            whole, found = asked(case, seed)
            everything.append(found)
            table.add_row(case.name, str(seed), f"{whole:,.0f} s", *_cells(found))
    console.print(table, soft_wrap=False)
    for number, part in enumerate(PARTS):
        said = [found[number] for found in everything]
        now, before = (
            [abs(each) for each in errors]
            for errors in ([one.error for one in said], [one.error_before for one in said])
        )
        held = sum(one.within for one in said)
        console.print(
            f"after {part:.0%}: median error {statistics.median(now):.0%} (largest {max(now):.0%}), the range holds "
            f"the true time {held} times of {len(said)}; "
            f"before: {statistics.median(before):.0%} (largest {max(before):.0%})"
        )
    return 0


def _cells(found: Sequence[Said]) -> list[str]:
    spans = [one.span for one in found]
    return [
        ", ".join("-" if span is None else f"{span.middle:,.0f}" for span in spans),
        ", ".join(f"{one.true:,.0f}" for one in found),
        ", ".join("-" if one.span is None else f"{one.error:+.0%}" for one in found),
        ", ".join("yes" if one.within else "no" for one in found),
        ", ".join("-" if one.before is None else f"{one.error_before:+.0%}" for one in found),
    ]


if __name__ == "__main__":
    sys.exit(main())
