"""Fidelity of a trial's value on the way: three ways to judge a run before its budget is spent.

A loss in the middle of a run misleads where schedules differ: one that is still at a high rate looks worse than it
will end. ``complete`` and ``branch`` remove that difference and pay for it with training beside the run, which is
counted (``Report.extra``). Neither touches the run that is judged: its end is bit for bit that of ``truncate``, so the
fidelity is no part of a trial's key.
"""

from __future__ import annotations

import gc
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

from trainable.config import UNITS, WHOLE_UNITS, Budget, Spent, TrainConfig
from trainable.curve import CurveRecorder
from trainable.report import VALIDATION_SCORES, Report
from trainable.schedules.early_decay import EarlyDecay

if TYPE_CHECKING:
    from trainable.run import Run

BRANCH_FRACTION = 0.15  # length of a branched decay, of what the run has spent so far; 2405.18392 finds 0.1-0.2 enough


def trained(
    run: Run, milestones: Sequence[float] = (), should_stop: Callable[[], bool] = lambda: False
) -> Iterator[Report]:
    """``train.train``, and torch with it, loaded when a trial trains: a plan asks only for names and costs."""
    from trainable.train import train

    return train(run, milestones, should_stop)


@dataclass
class Extra:
    """Training beside the run that is reported: steps, tokens, seconds, and ``spent`` in the unit of its budget."""

    steps: int = 0
    tokens: int = 0
    seconds: float = 0.0
    spent: float = 0.0
    eval_seconds: float = 0.0
    compile_seconds: float = 0.0

    def add(self, run: Run, before: Run | None = None) -> None:
        """Count what ``run`` did since it was ``before``, or since its first step."""
        unit, start = run.config.budget.unit, before.spent if before else Spent()
        self.steps += run.spent.steps - start.steps
        self.tokens += run.spent.tokens - start.tokens
        self.seconds += run.spent.seconds - start.seconds
        self.spent += getattr(run.spent, unit) - getattr(start, unit)
        self.eval_seconds += run.eval_seconds - (before.eval_seconds if before else 0.0)
        self.compile_seconds += run.compile_seconds - (before.compile_seconds if before else 0.0)

    def on(self, report: Report, **fields: Any) -> Report:
        """The report with this training noted, and with other ``fields``."""
        fields["eval_seconds"] = report.eval_seconds + self.eval_seconds
        fields["compile_seconds"] = report.compile_seconds + self.compile_seconds
        return replace(report, extra=asdict(self), **fields)


@dataclass
class Fidelity(ABC):
    """Drives ``train``: iterate ``reports``; ``state_dict`` between two steps is all that resuming needs."""

    name: ClassVar[str]

    config: TrainConfig
    start: Callable[[TrainConfig], Run]
    milestones: Sequence[float]  # ascending, in budget units, below the budget
    should_stop: Callable[[], bool] = lambda: False
    run: Run = field(init=False)  # the one that trains now
    extra: Extra = field(init=False, default_factory=Extra)

    def __post_init__(self) -> None:
        self.run = self.start(self.first_config())

    def first_config(self) -> TrainConfig:
        """Return what the first run of a fresh trial trains."""
        return self.config

    @abstractmethod
    def reports(self) -> Iterator[Report]:
        """One report a milestone and one at the end, as ``train`` gives them."""

    def state_dict(self) -> dict[str, Any]:
        return self.run.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.run.load_state_dict(state)


class Truncate(Fidelity):
    """Judgement of the run itself, on the same horizon for all: its values on the way, compared at equal progress."""

    name = "truncate"

    def reports(self) -> Iterator[Report]:
        yield from trained(self.run, self.milestones, self.should_stop)


class Complete(Fidelity):
    """A schedule of its own for each milestone: a run from scratch whose whole budget the milestone is, then the next.

    What the run at a milestone has at the end of its schedule is what it is judged by. Only the last one, the full run,
    is the trial.
    """

    name = "complete"

    def first_config(self) -> TrainConfig:
        return self._config_of(min(self.milestones, default=self.config.budget.amount))

    def reports(self) -> Iterator[Report]:
        for milestone in self.milestones:
            if milestone < self.run.config.budget.amount:
                continue  # resumed after it
            (report,) = trained(self.run, (), self.should_stop)
            if report.status != "completed":
                yield self.extra.on(report, **_named(report, f"the run of {milestone:g}"))
                return
            yield self.extra.on(report, status="running", milestone=milestone)
            self._begin_next(milestone)
        for report in trained(self.run, (), self.should_stop):
            yield self.extra.on(report)

    def _config_of(self, amount: float) -> TrainConfig:
        return self.config if amount == self.config.budget.amount else shortened_config(self.config, amount)

    def _begin_next(self, milestone: float) -> None:
        """Begin the run after the one of a milestone, which has ended."""
        self.extra.add(self.run)
        self._begin(min((m for m in self.milestones if m > milestone), default=self.config.budget.amount))

    def _begin(self, amount: float) -> None:
        del self.run
        gc.collect()  # its memory, before the next one needs it
        self.run = self.start(self._config_of(amount))

    def state_dict(self) -> dict[str, Any]:
        here = {"extra": asdict(self.extra), "amount": self.run.config.budget.amount}
        return super().state_dict() | {"fidelity": here}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.extra, amount = Extra(**state["fidelity"]["extra"]), state["fidelity"]["amount"]
        if amount != self.run.config.budget.amount:
            self._begin(amount)
        super().load_state_dict(state)
        if self.run.has_ended and amount < self.config.budget.amount:  # it was saved as the milestone was reported
            self._begin_next(amount)


class Branch(Fidelity):
    """One run; at each milestone a copy of it decays its rates to where its schedule ends, and is judged.

    The copy takes ``BRANCH_FRACTION`` of what the run has spent so far, and is then forgotten.
    """

    name = "branch"
    trunk: dict[str, Any] | None = None  # the run's state while a branch trains in its place
    due: Report | None = None  # of the run itself, at a milestone whose branch is not judged yet

    def reports(self) -> Iterator[Report]:
        while not self.run.has_ended:
            if self.due is None:  # else it was stopped inside a branch: the whole of that again
                report = next(trained(self.run, self.milestones, self.should_stop))
                if report.status != "running":
                    yield self.extra.on(report)
                    return
                self.due = report
            judged = self._judged(self.due)
            yield judged
            if judged.status != "running":
                return

    def _judged(self, due: Report) -> Report:
        """The report that is ``due`` with the scores of the branch; where that was interrupted, it stays due."""
        trunk, self.trunk = self.run, on_cpu(self.run.state_dict())
        branch = replace(trunk, config=branched(trunk), spent=replace(trunk.spent), curve=CurveRecorder.of_nothing())
        (found,) = trained(branch, (), self.should_stop)
        trunk.load_state_dict(self.trunk)
        self.trunk = None
        if found.status == "interrupted":
            return self.extra.on(due, status="interrupted", **dict.fromkeys(VALIDATION_SCORES))
        self.extra.add(branch, before=trunk)
        self.due = None
        if found.status != "completed":
            return self.extra.on(due, **_named(found, f"the decay that branched off at {due.milestone:g}"))
        assert due.val_loss is not None
        logged = due.logged | {"val_loss_before_decay": due.val_loss}
        return self.extra.on(due, **{name: getattr(found, name) for name in VALIDATION_SCORES}, logged=logged)

    def state_dict(self) -> dict[str, Any]:
        state = super().state_dict() if self.trunk is None else self.trunk
        here = {"extra": asdict(self.extra), "due": None if self.due is None else asdict(self.due)}
        return state | {"fidelity": here}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        due = state["fidelity"]["due"]
        self.extra, self.due = Extra(**state["fidelity"]["extra"]), None if due is None else Report(**due)
        super().load_state_dict(state)


FIDELITIES: dict[str, type[Fidelity]] = {f.name: f for f in (Truncate, Complete, Branch)}


def judged_only(config: TrainConfig) -> TrainConfig:
    """A run for its value alone: no target, no export, and the plain way of evaluation that all milestones have."""
    return replace(config, target=None, artifact=None, evaluation=config.evaluation.plain)


def shortened_config(config: TrainConfig, amount: float) -> TrainConfig:
    """The config with ``amount`` as its whole budget; other limits and the horizon shrink in proportion."""
    part = amount / config.budget.amount
    budget = scaled(config.budget, part)
    horizon = None if config.horizon is None else scaled(config.horizon, part)
    exact: dict[str, Any] = {config.budget.unit: int(amount) if config.budget.unit in WHOLE_UNITS else amount}
    return replace(judged_only(config), budget=replace(budget, **exact), horizon=horizon)


def scaled(budget: Budget, factor: float) -> Budget:
    """Every limit times ``factor``; whole units are rounded, to at least 1."""
    limits = {unit: getattr(budget, unit) for unit in UNITS if getattr(budget, unit) is not None}
    return Budget(**{u: max(1, round(v * factor)) if u in WHOLE_UNITS else v * factor for u, v in limits.items()})


def branched(run: Run) -> TrainConfig:
    """The config of the decay that branches off from ``run`` now; its progress goes on from there."""
    config, unit = run.config, run.config.budget.unit
    horizon, spent = config.horizon or config.budget, getattr(run.spent, unit)
    end = spent * (1 + BRANCH_FRACTION)
    at, schedule = horizon.fraction(run.spent), config.schedule
    if 0 < at < 1:  # beyond its horizon a schedule has ended
        schedule = EarlyDecay(inner=schedule, at=at, frac=min(1 - at, BRANCH_FRACTION * at))
    limit = max(spent + 1, round(end)) if unit in WHOLE_UNITS else end
    return replace(judged_only(config), schedule=schedule, budget=Budget(**{unit: limit}), horizon=horizon)


def _named(report: Report, where: str) -> dict[str, str]:
    """Status and reason of a run that ended before its end, saying which of a trial's runs it was."""
    return {"status": report.status, "reason": f"{report.reason} of {where}" if report.reason else ""}


def on_cpu(state: Any) -> Any:
    """A copy of nested dicts and lists whose tensors are copies in the host's memory, not the device's."""
    from torch import Tensor

    if isinstance(state, Tensor):
        return state.detach().to("cpu", copy=True)
    if isinstance(state, dict):
        return {key: on_cpu(value) for key, value in state.items()}
    return [on_cpu(value) for value in state] if isinstance(state, list | tuple) else state
