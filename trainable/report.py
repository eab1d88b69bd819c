"""Report of a run on itself, and the evaluation that goes into it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING

from trainable.compiled_evaluation import as_it_stands, scoring
from trainable.evaluation.artifact import Weighed, weigh
from trainable.evaluation.core import CoreScore
from trainable.evaluation.core_score import score
from trainable.evaluation.evaluate import Evaluation, EvaluationConfig, evaluate
from trainable.hooks.hook import Step

if TYPE_CHECKING:
    from trainable.run import Run


@dataclass(frozen=True)
class Report:
    """State of a run. A field that is a column of the results has its unit and meaning in results/store/row_types.py,
    under the same name; the others are said here.
    """

    status: str  # running, completed, diverged or interrupted
    milestone: float  # the milestone reached, in budget units; the budget itself at the end
    step: int
    tokens: int
    flops: int
    seconds: float  # training only
    progress: float
    multiplier: float
    train_loss: float | None
    val_loss: float | None = None  # of an Evaluation, and so all that begin with "val_" but the quantised ones
    val_bpb: float | None = None
    val_nats_per_character: float | None = None
    val_mainrun_loss: float | None = None
    eval_seconds: float = 0.0
    compile_seconds: float = 0.0
    param_data_ratio: float = 0.0  # tokens a scaling parameter
    epochs: float = 0.0  # passes over the training data
    train_minutes: float | None = None
    extra: dict[str, float] = field(default_factory=dict)  # training beside this run, by a fidelity: see fidelity.py
    time_to_target: float | None = None
    target_reached: bool | None = None
    artifact_bytes: int | None = None  # of a completed run that has an artifact, and so the next three
    val_loss_quantised: float | None = None
    val_bpb_quantised: float | None = None
    core: float | None = None
    core_error: float | None = None
    violation: str = ""  # the limit that the artifact breaks
    logged: dict[str, float] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True)
class Environment:
    """Device and cost of a run's training; sent beside each report. All are columns: results/store/row_types.py."""

    parameters: int
    device: str
    precision: str
    muon_precision: str | None
    activations_checkpointed: bool
    peak_memory_bytes: int | None
    peak_reserved_bytes: int | None
    wall_seconds: float
    worker: str


# A report's score -> the field of the Evaluation that it is.
VALIDATION_SCORES = {
    f"val_{score.name}": score.name for score in fields(Evaluation) if f"val_{score.name}" in Report.__annotations__
}


def validation(run: Run, final: bool = False) -> Evaluation:
    """The score of the present weights, by the plain method unless this is the ``final`` one."""
    config = run.config.evaluation if final else run.config.evaluation.plain
    with evaluating(run):
        return evaluated_by(run, config)


def evaluated_by(run: Run, config: EvaluationConfig) -> Evaluation:
    """The score of the network as it stands; compiled where the run is, but for what has rows of other lengths."""
    found = _loss_by(run, config)
    if config.core is None or not math.isfinite(found.loss):
        return found
    longest, device = run.config.longest_row, run.runtime.device
    with as_it_stands(run):
        core = score(run.network, run.dataset, config.core, longest, config.batch_tokens, device)
    return replace(found, core=core)


def _loss_by(run: Run, config: EvaluationConfig) -> Evaluation:
    if config.ttt is not None:
        with as_it_stands(run):
            return evaluate(run.network, run.dataset, config, run.runtime.device)
    with scoring(run) as forward:
        return evaluate(forward, run.dataset, config, run.runtime.device)


@contextmanager
def evaluating(run: Run) -> Iterator[None]:
    """The network as it is to be judged: in evaluation mode, with the weights that hooks want, off the clock."""
    started = time.perf_counter()
    run.network.eval()
    with run.evaluation_weights(), run.runtime.autocast():
        yield
    run.network.train()
    run.eval_seconds += time.perf_counter() - started


def weighed(run: Run) -> Weighed:
    """The exported weights: their size, and their score by the final method."""
    config = run.config
    assert config.artifact is not None, "the run has no artifact"
    with evaluating(run):
        return weigh(
            run.network,
            config.artifact,
            config,
            lambda: evaluated_by(run, replace(config.evaluation, core=None)),
        )


def evaluated(run: Run, milestone: float, step: Step) -> Report:
    """A report with the validation loss, and at the end with the artifact."""
    found, exported = validation(run, run.has_ended), {}
    status, reason = ("completed" if run.has_ended else "running"), ""
    if not math.isfinite(found.loss):
        status, reason = "diverged", f"validation loss is not finite at step {run.spent.steps}"
    if status == "completed" and run.config.artifact is not None:
        exported = asdict(weighed(run))
    report = replace(report_of(run, status, milestone, step, reason, found), **exported)
    run.reported, run.loss_steps = milestone, 0
    run.loss_sum.zero_()
    return report


def multiplier_of(step: Step) -> float:
    """The multiplier that a step had, of the schedule or of the hook that took the rate over."""
    return step.multiplier if step.rate_factor is None else float(step.rate_factor)


def report_of(
    run: Run,
    status: str,
    milestone: float,
    step: Step | None = None,
    reason: str = "",
    found: Evaluation | None = None,
) -> Report:
    """A report of where ``run`` stands, with the score that it ``found`` there."""
    spent, target, core = run.spent, run.config.target, found.core if found else None
    waited = run.compile_seconds if target is not None and target.with_compile_time else 0.0
    return Report(
        status=status,
        milestone=milestone,
        step=spent.steps,
        tokens=spent.tokens,
        flops=spent.flops,
        seconds=spent.seconds,
        progress=run.config.budget.fraction(spent),
        multiplier=multiplier_of(step) if step else 0.0,
        train_loss=float(run.loss_sum) / run.loss_steps if run.loss_steps else None,
        **{name: getattr(found, score) for name, score in VALIDATION_SCORES.items() if found},
        eval_seconds=run.eval_seconds,
        compile_seconds=run.compile_seconds,
        param_data_ratio=spent.param_data_ratio,
        epochs=spent.epochs,
        train_minutes=spent.seconds / 60,
        time_to_target=None if target is None else spent.seconds + waited,
        target_reached=None if target is None else run.target_reached,
        core=None if core is None else core.value,
        core_error=None if core is None else 1 - core.value,
        logged=(step.numbers() if step else {}) | _by_task(core),
        reason=reason,
    )


def _by_task(core: CoreScore | None) -> dict[str, float]:
    """CORE's tasks as numbers to log: the accuracy above chance of each."""
    return {} if core is None else {f"core.{label}": value for label, value in core.centred.items()}
