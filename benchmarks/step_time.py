"""Tokens a second of our training step beside a plain loop: ``python -m benchmarks.step_time [--quick]``.

The plain loop trains a copy of the same network on the same batches with torch.optim.Muon for the matrices, fused AdamW
for the rest and nothing else. The two take turns, so that a busy machine slows both. One thread is used, as in a trial.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m benchmarks.step_time")

import copy
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor

import search_spaces
from terminal.command_line import OneLineParser
from terminal.console import Console
from trainable.compiled_objective import build_objective
from trainable.component_paths import with_values
from trainable.config import TrainConfig
from trainable.data.dataset import Dataset, batch
from trainable.data.preparation import prepare
from trainable.objective import next_step
from trainable.optimizers.muon_adam import MuonAdam
from trainable.optimizers.roles import roles
from trainable.optimizers.update_rule import update
from trainable.run import Run
from trainable.runtime import Runtime

PARTS = ("forward", "backward", "optimizer", "step")
WIDE = {"model.model_dim": 512, "data.seq_len": 256, "data.batch_tokens": 1024}
WARM_UP_STEPS = 3

Seconds = dict[str, float]


class Clock:
    """Collects the seconds of named parts of one step, waiting for the device at every edge."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.seconds: Seconds = {}

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        self.runtime.synchronize()
        started = time.perf_counter()
        yield
        self.runtime.synchronize()
        self.seconds[name] = time.perf_counter() - started


def our_step(run: Run) -> Callable[[], Seconds]:
    """A step as ``train`` does it; the forward pass is timed once more on its own, and backward is what remains."""
    objective = build_objective(run)

    def take() -> Seconds:
        clock = Clock(run.runtime)
        with clock.part("step"):
            step, run.position = next_step(run, objective, run.config.budget.fraction(run.spent))
            with clock.part("gradients"):
                step.recompute_gradients()
            with clock.part("optimizer"):
                update(run.groups, run.optimizer_states, step.multiplier, step.index)
        run.spent.steps += 1
        with clock.part("forward"), run.runtime.autocast():
            objective(step.inputs, step.targets, torch.zeros((), device=step.inputs.device))
        return _with_backward(clock.seconds)

    return take


def plain_step(run: Run) -> Callable[[], Seconds]:
    """A step of the loop that one would write without this package, on a copy of the run's network."""
    network, config, runtime = copy.deepcopy(run.network), run.config, run.runtime
    optimizers = plain_optimizers(network, config)
    position = 0

    def loss_of(inputs: Tensor, targets: Tensor) -> Tensor:
        return F.cross_entropy(network(inputs).float().flatten(0, 1), targets.flatten())

    forward = torch.compile(loss_of, fullgraph=True, dynamic=False) if runtime.compile else loss_of

    def take() -> Seconds:
        nonlocal position
        clock = Clock(runtime)
        with clock.part("step"):
            inputs, targets, position = batch(run.dataset.train, position, config.data)
            inputs, targets = inputs.to(runtime.device), targets.to(runtime.device)
            with clock.part("gradients"):
                with runtime.autocast():
                    loss = forward(inputs, targets)
                loss.backward()
            with clock.part("optimizer"):
                for optimizer in optimizers:
                    optimizer.step()
                    optimizer.zero_grad(set_to_none=True)
        with clock.part("forward"), runtime.autocast():
            forward(inputs, targets)
        return _with_backward(clock.seconds)

    return take


def plain_optimizers(network: torch.nn.Module, config: TrainConfig) -> list[torch.optim.Optimizer]:
    """torch's optimizers at our base rates, for the roles that our groups have."""
    ours, found = config.optimizer, roles(network)
    assert isinstance(ours, MuonAdam)
    tables = {"embedding": ours.tied_embed_lr if network.head is None else ours.embed_lr, "head": ours.head_lr}
    groups = [{"params": found[r], "lr": lr} for r, lr in {**tables, "scalar": ours.scalar_lr}.items() if found[r]]
    betas = (ours.adam_beta1, ours.adam_beta2)
    return [
        torch.optim.Muon(found["matrix"], lr=ours.matrix_lr, momentum=ours.muon_momentum, weight_decay=0.0),
        torch.optim.AdamW(groups, betas=betas, eps=ours.adam_eps, weight_decay=0.0, fused=True),
    ]


def _with_backward(seconds: Seconds) -> Seconds:
    return {**seconds, "backward": seconds["gradients"] - seconds["forward"]}


def measure(config: TrainConfig, dataset: Dataset, runtime: Runtime, repetitions: int) -> dict[str, list[Seconds]]:
    """Both contestants in turns: ours, plain, ours, plain, ..."""
    run = Run.start(config, dataset, runtime)
    takes = {"plain": plain_step(run), "ours": our_step(run)}
    for take in takes.values():
        for _ in range(WARM_UP_STEPS):
            take()
    measured: dict[str, list[Seconds]] = {name: [] for name in takes}
    for _ in range(repetitions):
        for name in ("ours", "plain"):
            measured[name].append(takes[name]())
    return measured


def table(title: str, measured: dict[str, list[Seconds]], tokens: int) -> str:
    """Median milliseconds with quartiles, and tokens a second; the ratio is the median over neighbouring pairs."""
    lines = [title, f"  {'':10}{'ours, ms':>26}{'plain, ms':>26}{'ours/plain speed':>18}"]
    for part in PARTS:
        ours, plain = ([s[part] for s in measured[name]] for name in ("ours", "plain"))
        ratio = statistics.median(p / o for o, p in zip(ours, plain, strict=True))
        lines.append(f"  {part:10}{_spread(ours):>26}{_spread(plain):>26}{ratio:>18.2f}")
    speeds = [tokens / statistics.median(s["step"] for s in measured[name]) for name in ("ours", "plain")]
    return "\n".join([*lines, f"  {'tokens/s':10}{speeds[0]:>26,.0f}{speeds[1]:>26,.0f}"])


def _spread(seconds: list[float]) -> str:
    low, middle, high = (1000 * q for q in statistics.quantiles(seconds, n=4))
    return f"{middle:.1f} ({low:.1f} .. {high:.1f})"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table for each width."""
    parser = OneLineParser(prog="python -m benchmarks.step_time", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few repetitions")
    parser.add_argument("--compile", action="store_true", help="compile both networks")
    parser.add_argument("--only", choices=("proxy", "wide"))
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    runtime = Runtime.detect(compile=options.compile)
    base = search_spaces.load("parameter_golf").scale("proxy").base
    console = Console(goes_on=True)
    dataset = prepare(base.data, say=console.print)
    about = f"torch {torch.__version__}, {runtime.device_name}, {runtime.precision}"
    console.print(f"{about}, one thread; median (quartiles)")
    for name, config, quick, thorough in (("proxy", base, 8, 40), ("wide", with_values(base, WIDE), 3, 9)):
        if options.only in (None, name):
            data, dim = config.data, config.model.model_dim
            title = f"{name}: width {dim}, {data.batch_tokens // data.seq_len} x {data.seq_len} tokens a step"
            measured = measure(config, dataset, runtime, quick if options.quick else thorough)
            for line in table(title, measured, data.batch_tokens).splitlines():
                console.print(line)


if __name__ == "__main__":
    main()
