"""Other methods as drivers of the simulator, by the calls that their own tuners make. All begin with the base.

Each reports after every ninth of the budget, and its early stopping is at its defaults with nine as the longest run.
"""

from __future__ import annotations

import json
import math
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import optuna
from optuna.trial import TrialState
from ray.tune.schedulers import AsyncHyperBandScheduler, TrialScheduler
from ray.tune.search.optuna import OptunaSearch

from benchmarks.simulator import Job
from benchmarks.tables import PARTS, Table
from search_spaces.domains import Choice, Value
from search_spaces.space import Space
from tuner.proposals.sampler import suggest

EVERY = tuple(range(1, PARTS + 1))
WORKER = Path(__file__).with_name("syne_tune_worker.py")


def define(trial: Any, space: Space) -> dict[str, Value]:
    """The space as Optuna's users write it: conditions are ifs."""
    values: dict[str, Value] = {}
    for knob in space.knobs:
        if space.active(knob, values):
            values[knob.path] = suggest(trial, knob.path, knob.domain)
    return values


class OptunaAlone:
    """A study with a sampler, and a pruner or none."""

    def __init__(
        self,
        table: Table,
        seed: int,
        sampler: optuna.samplers.BaseSampler,
        pruner: optuna.pruners.BasePruner | None = None,
    ) -> None:
        self.table, self.prunes = table.fresh(), pruner is not None
        self.study = optuna.create_study(
            study_name=str(seed),  # by which Hyperband draws a trial's bracket
            sampler=sampler,
            pruner=pruner or optuna.pruners.NopPruner(),
        )
        self.study.enqueue_trial(table.space.values_of(table.base))
        self.open: dict[str, optuna.Trial] = {}

    def next(self) -> Job:
        trial = self.study.ask()
        values = define(trial, self.table.space)
        self.open[str(trial.number)] = trial
        return Job(str(trial.number), self.table.space.nearest(values), EVERY if self.prunes else (PARTS,))

    def report(self, job: Job, part: int, value: float) -> bool:
        trial = self.open[job.key]
        if not math.isfinite(value):
            self.study.tell(trial, state=TrialState.FAIL)
            return True
        if part == PARTS:
            self.study.tell(trial, value)
            return True
        trial.report(value, part)
        if trial.should_prune():
            self.study.tell(trial, state=TrialState.PRUNED)
            return True
        return False


class RayDefaults:
    """Ray's OptunaSearch and ASHA: a stopped trial's last value is told as if it were its result, as Tune does."""

    def __init__(self, table: Table, seed: int) -> None:
        self.table, self.number = table.fresh(), 0
        self.searcher = OptunaSearch(
            self._define,
            metric="loss",
            mode="min",
            points_to_evaluate=[dict(table.space.values_of(table.base))],
            seed=seed,
        )
        self.scheduler = AsyncHyperBandScheduler(metric="loss", mode="min", max_t=PARTS)
        self.trials: dict[str, Any] = {}

    def _define(self, trial: Any) -> None:
        define(trial, self.table.space)

    def next(self) -> Job:
        key = str(self.number)
        self.number += 1
        values = self.searcher.suggest(key)
        assert isinstance(values, dict)
        self.trials[key] = SimpleNamespace(trial_id=key)
        self.scheduler.on_trial_add(None, self.trials[key])
        return Job(key, self.table.space.nearest(values), EVERY)

    def report(self, job: Job, part: int, value: float) -> bool:
        trial, result = self.trials[job.key], {"training_iteration": part, "loss": value}
        done = part == PARTS or not math.isfinite(value)
        if not done:
            self.searcher.on_trial_result(job.key, result)
            done = self.scheduler.on_trial_result(None, trial, result) == TrialScheduler.STOP
        if done:
            self.scheduler.on_trial_complete(None, trial, result)
            self.searcher.on_trial_complete(job.key, result=result)
        return bool(done)


class SyneTune:
    """One of Syne Tune's schedulers, in a process of its own interpreter (see ``syne_tune_worker.py``)."""

    def __init__(self, table: Table, seed: int, method: str, python: str) -> None:
        self.table = table = table.fresh()
        self.process = subprocess.Popen(
            [python, str(WORKER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        knobs = {knob.path: _plain(knob.domain) for knob in table.space.knobs}
        base = complete(table, table.space.values_of(table.base))
        self.ask({"method": method, "seed": seed, "parts": PARTS, "knobs": knobs, "base": base})

    def ask(self, question: Mapping[str, Any]) -> Any:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def next(self) -> Job:
        answer = self.ask({"suggest": True})
        values, active = answer["values"], {}
        for knob in self.table.space.knobs:
            if self.table.space.active(knob, active):
                value = values[knob.path]
                active[knob.path] = knob.domain.labels[value] if isinstance(knob.domain, Choice) else value
        return Job(answer["key"], self.table.space.nearest(active), EVERY)

    def report(self, job: Job, part: int, value: float) -> bool:
        return bool(self.ask({"key": job.key, "part": part, "value": value if math.isfinite(value) else None}))

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def complete(table: Table, values: Mapping[str, Value]) -> dict[str, Any]:
    """A point as Syne Tune knows it: no conditions, so every knob has a value, and choices are numbers of labels."""
    found: dict[str, Any] = {}
    for knob in table.space.knobs:
        domain = knob.domain
        if isinstance(domain, Choice):
            found[knob.path] = domain.labels.index(values[knob.path]) if knob.path in values else 0
        else:
            found[knob.path] = values.get(knob.path, domain.low)
    return found


def _plain(domain: Any) -> dict[str, Any]:
    if isinstance(domain, Choice):
        return {"kind": "Choice", "count": len(domain.labels)}
    return {"kind": type(domain).__name__, "low": domain.low, "high": domain.high}
