"""The training loop. Read this first: a run is the ``while`` below, and no trick is named in it.

``train`` is a generator. It yields a report at every milestone and at the end; whoever iterates may stop early, or save
``run.state_dict()`` between two reports and go on from it later.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace

import torch
import torch.nn.functional as F
from torch import Tensor
from torch._dynamo import config as dynamo

from trainable.artifact import Weighed, weigh
from trainable.data import batch
from trainable.epochs import epochs_at
from trainable.evaluate import Evaluation, evaluate
from trainable.hooks.hook import Step
from trainable.losses.chunked_cross_entropy import chunked_cross_entropy
from trainable.losses.loss_term import Outputs
from trainable.optimizers.update_rule import update
from trainable.run import Run
from trainable.scaling import scaling_parameters

# torch keeps 8 graphs of one function and then fails; a process that trains many trials needs one for each structure.
GRAPHS = 1_000_000
STEPS_APART = 1_000_003  # between the draws of neighbouring seeds
CHECK_EVERY_STEPS = 10  # how often the loss is read to see whether it is still finite: reading waits for the device


@dataclass(frozen=True)
class Report:
    """Where a run stands. Losses are nats per token; ``train_loss`` is the mean since the last report."""

    status: str  # running, completed, diverged or interrupted
    milestone: float  # the milestone reached, in budget units; the budget itself at the end
    step: int
    tokens: int
    flops: int
    seconds: float  # training only
    progress: float
    multiplier: float
    train_loss: float | None
    val_loss: float | None = None
    val_bpb: float | None = None
    eval_seconds: float = 0.0
    compile_seconds: float = 0.0
    param_data_ratio: float = 0.0  # tokens a scaling parameter
    time_to_target: float | None = None  # seconds so far, a lower bound until ``target_reached``; None without a target
    target_reached: bool | None = None
    artifact_bytes: int | None = None  # of a completed run that has an artifact, and so the next three
    val_loss_quantised: float | None = None
    val_bpb_quantised: float | None = None
    violation: str = ""  # the limit that the artifact breaks
    logged: dict[str, float] = field(default_factory=dict)
    reason: str = ""


def train(
    run: Run, milestones: Sequence[float] = (), should_stop: Callable[[], bool] = lambda: False
) -> Iterator[Report]:
    """Train until the budget is spent, reporting at each milestone (in units of ``run.config.budget.unit``)."""
    config, spent = run.config, run.spent
    horizon, unit = config.horizon or config.budget, config.budget.unit
    flops_per_token = config.model.flops_per_token(run.dataset.vocab_size, config.data.seq_len)
    tokens_of_ratio = scaling_parameters(run.network)
    objective = build_objective(run)
    clock = Clock(run)
    while not has_ended(run):
        if should_stop():
            yield _report(run, "interrupted", getattr(spent, unit))
            return
        step, run.position = next_step(run, objective, horizon.fraction(spent))
        for hook in config.hooks:
            hook.before_forward(step, run.hook_states[type(hook).__name__])
        for module in run.live:
            module.before_step(step)
        loss = step.recompute_gradients()
        for hook in config.hooks:
            hook.after_backward(step, run.hook_states[type(hook).__name__])
        momentum = config.schedule.momentum(step.progress)
        update(run.groups, run.optimizer_states, step.multiplier, step.index, step.progress, momentum)
        for hook in config.hooks:
            hook.after_update(step, run.hook_states[type(hook).__name__])

        run.loss_sum += loss
        run.loss_steps += 1
        spent.steps += 1
        spent.tokens += config.data.batch_tokens
        spent.flops += config.data.batch_tokens * flops_per_token
        spent.param_data_ratio = spent.tokens / tokens_of_ratio
        spent.epochs = epochs_at(run.dataset.train, run.position, config.data, config.seed)
        clock.tick()
        look_at_target(run, loss, clock)
        if spent.steps % CHECK_EVERY_STEPS == 0 or due_milestone(run, milestones) is not None:
            run.runtime.synchronize()
            clock.tick()  # before the milestones are looked up: the wait may have used up a budget of seconds
            if not math.isfinite(float(run.loss_sum)):
                reason = f"train loss is not finite at step {spent.steps}"
                yield _report(run, "diverged", getattr(spent, unit), step, reason)
                return
        due = due_milestone(run, milestones)
        if due is not None:
            report = evaluated(run, due, step)
            yield report
            if report.status != "running":
                return
            clock.restart()


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


def has_ended(run: Run) -> bool:
    """Whether the budget is spent or the target reached."""
    return run.config.budget.fraction(run.spent) == 1 or run.target_reached


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
    if has_ended(run):
        return budget.amount
    return max((m for m in milestones if run.reported < m <= getattr(spent, budget.unit)), default=None)


def next_step(run: Run, objective: Callable[..., tuple[Tensor, Tensor]], progress: float) -> tuple[Step, int]:
    """The next batch with everything a hook may see, and the stream's position after it."""
    config, device = run.config, run.runtime.device
    inputs, targets, position = batch(run.dataset.train, run.position, config.data, config.seed)
    step = Step(
        network=run.network,
        index=run.spent.steps,
        progress=progress,
        multiplier=config.schedule(progress),
        generator=run.generator,
        inputs=inputs.to(device, non_blocking=True),
        targets=targets.to(device, non_blocking=True),
        recompute_gradients=lambda: backward(run, step, objective),
    )
    return step, position


def backward(run: Run, step: Step, objective: Callable[..., tuple[Tensor, Tensor]]) -> Tensor:
    """Fill ``.grad`` with the gradient of the mean loss over micro-batches; returns the mean cross-entropy."""
    parts = run.config.data.grad_accum_steps
    for parameter in run.network.parameters():
        parameter.grad = None
    total = torch.zeros((), device=run.runtime.device)
    progress = torch.full((), step.progress, device=run.runtime.device)
    with torch.random.fork_rng(devices=run.runtime.generator_devices):
        # Draws inside the graph come from torch's own generator: seeded by the step, they need no place in a checkpoint.
        torch.manual_seed((run.config.seed * STEPS_APART + step.index) % 2**63)
        for inputs, targets in zip(step.inputs.chunk(parts), step.targets.chunk(parts), strict=True):
            with run.runtime.autocast():
                loss, cross_entropy = objective(inputs, targets, progress)
            (loss / parts).backward()  # type: ignore[no-untyped-call]
            total += cross_entropy.detach() / parts
    return total


def build_objective(run: Run) -> Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]:
    """(inputs, targets, progress) -> (training loss, cross-entropy), compiled and warmed up outside the clock if asked.

    The weights of the loss terms enter as a tensor, so that no value of theirs needs a graph of its own.
    """
    network, terms, device = run.network, run.config.losses, run.runtime.device
    weights = torch.tensor([t.weight for t in terms], device=device)

    def objective(inputs: Tensor, targets: Tensor, progress: Tensor) -> tuple[Tensor, Tensor]:
        hidden = network.hidden(inputs)
        logits = network.logits(hidden).float()
        cross_entropy = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
        outputs, loss = Outputs(network, hidden, logits, targets, cross_entropy, progress), cross_entropy
        for i, term in enumerate(terms):
            loss = loss + weights[i] * term(outputs)
        return loss, cross_entropy

    def objective_in_pieces(inputs: Tensor, targets: Tensor, progress: Tensor) -> tuple[Tensor, Tensor]:
        loss = chunked_cross_entropy(network, network.hidden(inputs), targets, run.config.loss_chunks)
        return loss, loss

    chosen = objective if run.config.loss_chunks == 1 else objective_in_pieces
    if not run.runtime.compile:
        return chosen
    started = time.perf_counter()
    compiled: Callable[..., tuple[Tensor, Tensor]] = torch.compile(chosen, fullgraph=True, dynamic=False)
    with dynamo.patch(recompile_limit=GRAPHS, accumulated_recompile_limit=GRAPHS):
        next_step(run, compiled, 0.0)[0].recompute_gradients()
    run.runtime.synchronize()
    run.compile_seconds += time.perf_counter() - started
    return compiled


def validation(run: Run, final: bool = False) -> Evaluation:
    """The score of the present weights, by the plain method unless this is the ``final`` one."""
    config = run.config.evaluation if final else run.config.evaluation.plain
    with evaluating(run):
        return evaluate(run.network, run.dataset, config, run.runtime.device)


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
    with evaluating(run):
        return weigh(run, lambda: evaluate(run.network, run.dataset, run.config.evaluation, run.runtime.device))


def evaluated(run: Run, milestone: float, step: Step) -> Report:
    """A report with the validation loss, and at the end with the artifact."""
    found, exported = validation(run, has_ended(run)), {}
    status, reason = ("completed" if has_ended(run) else "running"), ""
    if not math.isfinite(found.loss):
        status, reason = "diverged", f"validation loss is not finite at step {run.spent.steps}"
    for name in ("nats_per_character", "mainrun_loss"):
        if (value := getattr(found, name)) is not None:
            step.log(f"val_{name}", value)
    if status == "completed" and run.config.artifact is not None:
        exported = asdict(weighed(run))
    report = replace(_report(run, status, milestone, step, reason, found.loss, found.bpb), **exported)
    run.reported, run.loss_steps = milestone, 0
    run.loss_sum.zero_()
    return report


def _report(
    run: Run,
    status: str,
    milestone: float,
    step: Step | None = None,
    reason: str = "",
    val_loss: float | None = None,
    val_bpb: float | None = None,
) -> Report:
    spent, target = run.spent, run.config.target
    waited = run.compile_seconds if target is not None and target.with_compile_time else 0.0
    return Report(
        status=status,
        milestone=milestone,
        step=spent.steps,
        tokens=spent.tokens,
        flops=spent.flops,
        seconds=spent.seconds,
        progress=run.config.budget.fraction(spent),
        multiplier=step.multiplier if step else 0.0,
        train_loss=float(run.loss_sum) / run.loss_steps if run.loss_steps else None,
        val_loss=val_loss,
        val_bpb=val_bpb,
        eval_seconds=run.eval_seconds,
        compile_seconds=run.compile_seconds,
        param_data_ratio=spent.param_data_ratio,
        time_to_target=None if target is None else spent.seconds + waited,
        target_reached=None if target is None else run.target_reached,
        logged=step.logged if step else {},
        reason=reason,
    )
