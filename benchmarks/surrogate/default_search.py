"""The default search with its confirmation, on surrogate trainings: ``python -m benchmarks.surrogate.default_search``.

    python -m benchmarks.surrogate.default_search --seeds 30 --lines searches.jsonl

A campaign is the product's own: 24 trials in two slots, its sampler, early stopping, confirmation and rows. Trials are
played by a surrogate of recorded trainings of a small golf space, on a simulated clock. It is run with today's
defaults and with those until 2026-11: ASHA, and a confirmation of at most nine seeds whose noise is taken to be alike.
Time is in runs of the base. With ``--lines`` every campaign is kept as soon as it has ended, and a file that exists is
gone on with.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m benchmarks.surrogate.default_search")

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from rich.table import Table

from benchmarks.noisy_campaigns import BEFORE
from benchmarks.played_search import played_search
from benchmarks.surrogate import compare, models, small_spaces, trainings
from benchmarks.surrogate.compare import Line
from benchmarks.surrogate.device import Device, Outcome
from results.design import DEFAULT
from results.statistics.confirmation import rounds
from results.store.campaign_folder import Store
from results.store.statuses import SEARCH
from storage.location import local_argument
from storage.target import check_file_to_write
from terminal.command_line import OneLineParser
from terminal.console import Console
from terminal.option_numbers import at_least_one
from trainable.config import TrainConfig
from trainable.worker.request import Request
from tuner.early_stopping import PREDICTIVE
from tuner.failures import OUT_OF_MEMORY
from tuner.plan.simulated_clock import SimulatedClock
from tuner.search_loop import Search

SPACE, TRIALS, SLOTS, SEEDS = "parameter_golf", 24, 2, 30
FORMS: dict[str, dict[str, Any]] = {
    "today": {"stopper": PREDICTIVE, "promote": True, "confirm": DEFAULT},
    "before": {"stopper": "asha", "confirm": BEFORE},
}
HEADINGS = (
    "defaults",
    "campaigns",
    "time",
    "compute",
    "stopped",
    "went on",
    "runs after it",
    "a winner",
    "its worth",
    "as printed",
)
COUNTED = ("time", "compute", "stopped", "promoted", "runs")


class PlayedTrials:
    """The trials of one search, played by a device."""

    def __init__(self, device: Device, search: Search) -> None:
        self.device, self.search, self.clock = device, search, SimulatedClock()

    def run(self) -> float:
        """Run the search and its confirmation to their end; returns the simulated seconds.

        Where it must wait for what runs, as between looks of a confirmation, all slots wait.
        """
        while not self.search.exhausted:
            self.clock.run(self._next, self.search.here.slots)
        return self.clock.seconds

    def _next(self) -> Iterator[float] | None:
        request = None if self.search.exhausted else self.search.next()
        if request is None:
            return None
        config = self.search.live[request.key].config
        assert isinstance(config, TrainConfig)
        self.search.start(request.key)
        return self._train(request, config)

    def _train(self, request: Request, config: TrainConfig) -> Iterator[float]:
        key = request.key
        values = self.device.searched.values_of(config)
        outcome = self.device.train(values, config.seed)
        if outcome.final is None:
            yield outcome.seconds
            self._fails(key, config, outcome)
            return
        attempt = request.begun()
        saved, _ = attempt.restore()  # of a stopped trial that goes on
        past = 0.0 if saved is None else float(saved["part"])
        at_rung = dict(zip(small_spaces.RUNGS, outcome.rungs, strict=True))
        for milestone in (*request.milestones, config.budget.amount):
            part = milestone / config.budget.amount
            if part <= past:
                continue
            yield (part - past) * outcome.seconds
            past, done = part, milestone == config.budget.amount
            report = result(
                config, milestone, part * outcome.seconds, at_rung[part], "completed" if done else "running"
            )
            if milestone in request.checkpoint_at:
                attempt.save({"part": part})
            ends = done or self.search.stopper.ends(key, report)
            self.search.report(key, report)
            if ends:
                self.search.end(key, report)
                return

    def _fails(self, key: str, config: TrainConfig, outcome: Outcome) -> None:
        if outcome.status == OUT_OF_MEMORY:
            self.search.fail(key, "torch.OutOfMemoryError: CUDA out of memory")
        else:
            report = result(config, 1.0, outcome.seconds, None, "diverged")
            self.search.report(key, report)
            self.search.end(key, report)


def result(config: TrainConfig, milestone: float, seconds: float, value: float | None, status: str) -> dict[str, Any]:
    """A report as a worker makes it, after ``milestone`` tokens."""
    return {
        "status": status,
        "milestone": milestone,
        "step": max(1, round(milestone / config.data.batch_tokens)),
        "tokens": round(milestone),
        "seconds": seconds,
        "progress": milestone / config.budget.amount,
        "val_loss": value,
        "val_bpb": value,
        "logged": {},
        "reason": "" if status != "diverged" else "not finite",
        "worker": "simulated",
    }


def campaign(device: Device, wanted: Mapping[str, Any], trials: int) -> Line:
    """A whole campaign, as it is kept: its time, its winner and what that is worth."""
    small, seed = device.small, wanted["seed"]
    with tempfile.TemporaryDirectory() as folder:
        described = {"space": SPACE, "scale": "small", "objective": device.searched.objective}
        store = Store.create(Path(folder) / "campaign", described, device.searched.column_types())
        base = replace(small.base, seed=1_000_000 * (seed + 1))  # other seeds, other noise
        search = played_search(device.searched, base, store, trials, SLOTS, seed, **FORMS[wanted["form"]])
        played = PlayedTrials(device, search)
        seconds = played.run()
        search.abandon()
        rows = store.trials()
        round_ = rounds(rows)[-1]
        winner = round_.judgement.winner
        arms = {entry.row["arm"]: entry.config for entry in search.ledger.entries.values() if entry.row["arm"]}
    worth = None
    if winner is not None:
        values = device.searched.values_of(arms[winner.arm])
        worth = device.expected(values) - device.expected(device.base_point)
    searched = [row for row in rows if row["stage"] == SEARCH]
    return {
        **wanted,
        "time": seconds / device.base_seconds,
        "compute": played.clock.busy_seconds / device.base_seconds,
        "stopped": sum(row["status"] == "stopped" for row in searched),
        "promoted": sum(row["promotions"] is not None for row in searched),
        "runs": len(rows) - len(searched),
        "seeds_of_look": round_.judgement.seeds,
        "worth": worth,
        "said": winner.difference if winner is not None else None,
    }


def summary(lines: Sequence[Line], model: str) -> Table:
    """A table of the forms: medians and quartiles over campaigns."""
    printed = Table(title=f"{model}, {TRIALS} trials in {SLOTS} slots", title_justify="left")
    for heading in HEADINGS:
        printed.add_column(heading)
    for form in FORMS:
        here = [line for line in lines if line["model"] == model and line["form"] == form]
        if here:
            won = [line for line in here if line["worth"] is not None]
            cells = [quartiles([line[key] for line in here], 1) for key in COUNTED]
            worth = [quartiles([line[key] for line in won], 3) for key in ("worth", "said")]
            printed.add_row(form, str(len(here)), *cells, f"{len(won)} of {len(here)}", *worth)
    return printed


def quartiles(values: Sequence[float], digits: int) -> str:
    """Write a median with its quartiles."""
    if not values:
        return "-"
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    return f"{middle:.{digits}f} ({low:.{digits}f}..{high:.{digits}f})"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the campaigns that are not kept yet and print the tables; exit code 2 for what is no good."""
    parser = OneLineParser(prog="python -m benchmarks.surrogate.default_search", description=__doc__)
    parser.add_argument("--file", type=local_argument, default=trainings.FILE, help="the table, or a recording's lines")
    parser.add_argument("--seeds", type=at_least_one, default=SEEDS)
    parser.add_argument("--lines", type=local_argument, help="keep every campaign here")
    given = parser.parse_args(arguments)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    console = Console(width=160)
    try:
        if given.lines is not None:
            check_file_to_write("--lines", given.lines)
        runs = trainings.read(SPACE, given.file)
        compare.check_enough(runs)
        small = small_spaces.load(SPACE)
        devices = {kind: Device(small, runs, kind) for kind in models.KINDS}
    except (ValueError, OSError) as error:
        return parser.refuse(error)
    lines = compare.read(given.lines)
    for seed in range(given.seeds):
        for model, device in devices.items():
            for form in FORMS:
                wanted = {"model": model, "form": form, "seed": seed}
                if not compare.is_done(lines, wanted):
                    lines.append(campaign(device, wanted, TRIALS))
                    compare.keep(given.lines, lines[-1])
    for model in devices:
        console.print(summary(lines, model))
    console.print(
        "time: of the simulated clock, and compute: of all slots, in runs of the base. its worth: what the winner is "
        "expected to differ from the base by, over seeds; as printed: the difference that the verdict says."
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
