"""A search on recorded curves: a campaign's own code, with a table in the place of training and a simulated clock.

``Ours`` drives ``tuner.search_loop.Search`` by the calls that Ray Tune makes of it. Any other method is a ``Driver``
too, so that all are measured alike: compute is what trials have trained, in budgets of one trial, and what a search has
found after so much of it is the lowest final value among trials that were trained to their end.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from benchmarks.played_search import played_search
from benchmarks.tables import PARTS, AllTriedError, Table
from tuner.plan.simulated_clock import SimulatedClock
from tuner.proposals.sampler import Sampler
from tuner.proposals.warm_start import Prior


@dataclass(frozen=True)
class Job:
    """A trial that a method has asked for, and the ninths of its budget after which it wants to hear of it."""

    key: str
    row: int
    parts: tuple[int, ...]
    charged: Mapping[int, float] = field(default_factory=dict)  # a ninth -> its cost in budgets, where it is none


class Driver(Protocol):
    """A method under test."""

    def next(self) -> Job | None:
        """The next trial; None where there is none to come."""

    def report(self, job: Job, part: int, value: float) -> bool:
        """A value after ``part`` ninths: NaN where it has diverged, which ends it. Returns whether to stop it."""


@dataclass
class Trace:
    """Results of a simulated campaign: (compute in trial-budgets, final value) of each whole trial, in order."""

    finished: list[tuple[float, float]] = field(default_factory=list)
    compute: float = 0.0
    started: int = 0
    seconds: float = 0.0  # of the simulated clock

    def best_at(self, compute: float) -> float:
        """The lowest final value found for at most so much compute; infinity before the first."""
        return min((value for spent, value in self.finished if spent <= compute + 1e-9), default=math.inf)


class Curve(Protocol):
    """The objective after each ninth of a trial, by the number of the ninth less one."""

    def __getitem__(self, index: int, /) -> Any: ...


class Played(Protocol):
    """A trial that is played: recorded, or trained as it is asked for (``live_table.py``)."""

    @property
    def curve(self) -> Curve: ...

    @property
    def seconds(self) -> float: ...


class Source(Protocol):
    """Source of rows that trials are played from."""

    @property
    def rows(self) -> Sequence[Played]: ...


def simulate(table: Source, driver: Driver, slots: int, budget: float, target: float = -math.inf) -> Trace:
    """Run a method on a table until it has spent ``budget`` trial-budgets, or a whole trial ends at ``target``."""
    trace, clock = Trace(), SimulatedClock()

    def train(job: Job) -> Iterator[float]:
        row = table.rows[job.row]
        spent = 0.0
        for part in range(1, PARTS + 1):  # all are charged in ninths, however rarely they report
            upto = job.charged.get(part, part / PARTS)
            yield row.seconds * (upto - spent)
            trace.compute += upto - spent
            spent = upto
            if part not in job.parts:
                continue
            value = float(row.curve[part - 1])
            if part == PARTS and math.isfinite(value):
                trace.finished.append((trace.compute, value))
            if driver.report(job, part, value) or not math.isfinite(value):
                return

    def start() -> Iterator[float] | None:
        try:
            job = driver.next()
        except AllTriedError:
            job = None
        if job is None:
            return None
        trace.started += 1
        return train(job)

    clock.run(start, slots, lambda: trace.compute >= budget - 1e-9 or trace.best_at(budget) <= target)
    trace.seconds = clock.seconds
    return trace


class MemoryStore:
    """Takes the place of ``results.store.campaign_folder.Store``: a simulated campaign is not read again."""

    def __init__(self, folder: Path, objective: str) -> None:
        self.folder = folder
        self.campaign: dict[str, Any] = {"space": "table", "scale": "table", "objective": objective}

    def write_trial(self, row: Any, durable: bool = True) -> None:
        """Keep nothing."""

    append_report = write_trial

    def replace_reports(self, key: str, rows: Any) -> None:
        """Keep nothing."""

    def trials(self) -> list[dict[str, Any]]:
        return []

    def reports_by_key(self) -> dict[str, list[dict[str, Any]]]:
        return {}

    def take_name(self) -> int:
        return 0

    def settle(self, at_once: bool = False) -> None:
        """Keep nothing."""


class Ours:
    """``tuner.search_loop.Search``, by the calls that Ray Tune makes of it."""

    def __init__(
        self,
        table: Table,
        seed: int,
        slots: int,
        stopper: str = "asha",
        make_sampler: type[Sampler] = Sampler,
        prior: Prior | None = None,
        trials: int = 10**6,
        make_store: type[MemoryStore] = MemoryStore,
    ) -> None:
        self.table = table = table.fresh()
        self._folder = tempfile.TemporaryDirectory()  # the search leaves a note there when it stops early
        store: Any = make_store(Path(self._folder.name), table.space.objective)
        space, base = table.space, table.base
        self.sampler = make_sampler(space, space.values_of(base), seed, prior=prior)  # its study is in memory
        self.milestones: dict[int, float] = {}  # the ninth that a milestone's value is taken at -> the milestone
        self.search = played_search(space, base, store, trials, slots, seed, stopper=stopper, sampler=self.sampler)

    def close(self) -> None:
        """Remove the search's folder."""
        self._folder.cleanup()

    def next(self) -> Job | None:
        request = None if self.search.exhausted else self.search.next()
        if request is None:
            return None
        config = self.search.live[request.key].config
        assert config is not None
        self.search.start(request.key)
        amount = self.table.base.budget.amount
        self.milestones = {int(m / amount * PARTS): m for m in request.milestones} | {PARTS: amount}
        assert len(self.milestones) == len(request.milestones) + 1, "two rungs at one part of the curve"
        charged = {part: milestone / amount for part, milestone in self.milestones.items()}  # no less than it costs
        return Job(request.key, config.seed, tuple(self.milestones), charged)

    def report(self, job: Job, part: int, value: float) -> bool:
        result = self._result(part, value)
        done = result["status"] != "running"
        if not done:
            done = self.search.stopper.ends(job.key, result)
        self.search.report(job.key, result)
        if done:
            self.search.end(job.key, result)
        return bool(done)

    def _result(self, part: int, value: float) -> dict[str, Any]:
        steps = round(self.milestones[part])  # that of the rung itself: by any other its stopper would not judge
        status = "diverged" if not math.isfinite(value) else "completed" if part == PARTS else "running"
        return {
            "status": status,
            "milestone": float(steps),
            "step": steps,
            "tokens": steps,
            "seconds": float(steps),
            "progress": part / PARTS,
            "val_loss": None,
            self.table.space.objective: value if math.isfinite(value) else None,
            "logged": {},
            "reason": "" if status != "diverged" else "not finite",
        }
