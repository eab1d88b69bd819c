"""Other methods as drivers of the simulator, by the calls that their own tuners make. All begin with the base.

Each reports after every ninth of the budget, and its early stopping is at its defaults with nine as the longest run.
"""

from __future__ import annotations

import json
import math
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import TrialState

from benchmarks.simulator import Job
from benchmarks.tables import PARTS, Table
from benchmarks.tune_defaults import TuneDefaults, define
from search_spaces.domains import Choice, Value

EVERY = tuple(range(1, PARTS + 1))
WORKER = Path(__file__).with_name("syne_tune_worker.py")


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
        self.table = table.fresh()
        self.tune = TuneDefaults(table.space, table.space.values_of(table.base), seed, PARTS)

    def next(self) -> Job:
        number, values = self.tune.suggest()
        return Job(str(number), self.table.space.nearest(values), EVERY)

    def report(self, job: Job, part: int, value: float) -> bool:
        if math.isfinite(value):
            return self.tune.result(int(job.key), part, value)
        self.tune.error(int(job.key))
        return True


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
