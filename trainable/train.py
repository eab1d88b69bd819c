"""The training loop. Read this first: a run is the ``while`` below, and no trick is named in it.

``train`` is a generator. It yields a report at every milestone and at the end; whoever iterates may stop early, or save
``run.state_dict()`` between two reports and go on from it later.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence

from torch import Tensor

from trainable.compiled_objective import build_objective
from trainable.hooks.hook import Step
from trainable.objective import next_step
from trainable.optimizers.update_rule import update
from trainable.recording import StepRecording
from trainable.report import Report, evaluated, report_of, validation
from trainable.run import Run

CHECK_EVERY_STEPS = 10  # how often the loss is read to see whether it is still finite: reading waits for the device


def train(
    run: Run, milestones: Sequence[float] = (), should_stop: Callable[[], bool] = lambda: False
) -> Iterator[Report]:
    """Train until the budget is spent, reporting at each milestone (in units of ``run.config.budget.unit``)."""
    config, spent = run.config, run.spent
    horizon, unit = config.horizon or config.budget, config.budget.unit
    objective = build_objective(run)
    clock = Clock(run)
    while not run.has_ended:
        if should_stop():
            yield report_of(run, "interrupted", getattr(spent, unit))
            return
        step, run.position = next_step(run, objective, horizon.fraction(spent))
        loss = take(run, step)
        run.account(loss)
        clock.tick()
        look_at_target(run, loss, clock)
        if spent.steps % CHECK_EVERY_STEPS == 0 or due_milestone(run, milestones) is not None:
            run.runtime.synchronize()
            clock.tick()  # before the milestones are looked up: the wait may have used up a budget of seconds
            if not math.isfinite(float(run.loss_sum)):
                reason = f"train loss is not finite at step {spent.steps}"
                yield report_of(run, "diverged", getattr(spent, unit), step, reason)
                return
        due = due_milestone(run, milestones)
        if due is not None:
            report = evaluated(run, due, step)
            yield report
            if report.status != "running":
                return
            clock.restart()


def take(run: Run, step: Step) -> Tensor:
    """One step: the moments in order. Returns the mean cross-entropy of its batch."""
    hooks = [(hook, run.hook_states[type(hook).__name__]) for hook in run.config.hooks]
    for hook, state in hooks:
        hook.before_forward(step, state)
    for module in run.live:
        module.before_step(step)
    loss = step.recompute_gradients()
    recording = StepRecording(run, step, loss)
    for hook, state in hooks:
        hook.after_backward(step, state)
    momentum = run.config.schedule.momentum(step.progress)
    multiplier = step.multiplier if step.rate_factor is None else step.rate_factor
    with recording.of_update():
        update(run.groups, run.optimizer_states, multiplier, step.index, step.progress, momentum)
    for hook, state in hooks:
        hook.after_update(step, state)
    recording.end()
    return loss


class Clock:
    """Adds the time between its ticks to ``run.spent.seconds``."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.restart()

    def restart(self) -> None:
        self.last = time.perf_counter()

    def tick(self) -> None:
        now = time.perf_counter()
        self.run.spent.seconds += now - self.last
        self.last = now


def look_at_target(run: Run, loss: Tensor, clock: Clock) -> None:
    """See whether this step's loss ends the run; evaluating stops the clock."""
    target = run.config.target
    if target is None:
        return
    run.smoothed_loss.lerp_(loss.double(), 1.0 if run.spent.steps == 1 else 1 - target.smoothing)
    if run.spent.steps % target.every_steps:
        return
    found = float(run.smoothed_loss)  # waits for the device
    clock.tick()
    if target.split == "validation":
        found = validation(run).loss
        clock.restart()
    run.target_reached = found <= target.loss


def due_milestone(run: Run, milestones: Sequence[float]) -> float | None:
    """The milestone to report now: the budget at the end, else the furthest one reached and not yet reported."""
    budget, spent = run.config.budget, run.spent
    if run.has_ended:
        return budget.amount
    return max((m for m in milestones if run.reported < m <= getattr(spent, budget.unit)), default=None)
