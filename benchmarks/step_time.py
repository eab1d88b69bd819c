"""Time of our training step, and of Muon alone, beside plain loops: ``python -m benchmarks.step_time [--quick]``.

Our side is a trial as a worker trains it: ``train`` with its checks, hooks, curve and milestones; a step at whose end
it evaluates does not count, as that stands outside a trial's clock. The peers (``step_peers.py``) take a step each
between two of ours. Time is the process's own, in one thread as in a trial, which a busy machine lengthens less than
the time that passes. A figure is the peer's time over ours, the median over neighbouring pairs.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m benchmarks.step_time")

import os
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch

import search_spaces
from benchmarks.step_peers import MUONS, OWN_FUNCTIONS, PEERS, Take, muon_step, peer_step
from terminal.command_line import OneLineParser
from terminal.console import Console
from trainable.component_paths import with_values
from trainable.config import TrainConfig
from trainable.data.dataset import Dataset
from trainable.data.preparation import prepare
from trainable.optimizers.iteration_precision import name_of_precision
from trainable.optimizers.roles import roles
from trainable.optimizers.update_rule import update
from trainable.run import Run
from trainable.runtime import Runtime
from trainable.train import train

now = time.process_time
ROUNDS = {64: 20, 128: 12, 256: 6, 512: 4}  # width -> pairs
WARM_UP = 2  # rounds that do not count
MILESTONE = 10  # steps from one to the next
OURS = "ours"

Seconds = dict[str, list[float]]  # of each contestant, by round


def whole_steps(config: TrainConfig, dataset: Dataset, runtime: Runtime, rounds: int) -> Seconds:
    """Seconds of a step of a trial and of each peer, by turns."""
    rounds += WARM_UP
    steps = 2 * rounds
    config = replace(config, budget=replace(config.budget, steps=steps))
    run = Run.start(config, dataset, runtime)
    # what is compiled is the same for both, so there a peer with our functions is none of its own
    names = [name for name in PEERS if not (runtime.compile and name.endswith(OWN_FUNCTIONS))]
    peers = {name: peer_step(run, name) for name in names}
    measured: Seconds = {name: [] for name in (OURS, *names)}
    begun = evaluated = 0.0

    def between_steps() -> bool:
        """The peers' turn; called by ``train`` before each of its steps."""
        nonlocal begun, evaluated
        taken = now() - begun
        if begun and evaluated == run.eval_seconds:  # else a milestone was judged, outside the trial's clock
            measured[OURS].append(taken)
            take_turns(peers, measured)
        evaluated, begun = run.eval_seconds, now()
        return len(measured[OURS]) == rounds

    for _ in train(run, range(MILESTONE, steps, MILESTONE), between_steps):
        pass
    return {name: seconds[WARM_UP:] for name, seconds in measured.items()}


def muon_alone(config: TrainConfig, dataset: Dataset, runtime: Runtime, rounds: int) -> tuple[Seconds, str]:
    """Seconds of an update of all matrices by our rule and by each peer's, by turns; and the precision of ours."""
    run = Run.start(config, dataset, runtime)
    group = next(group for group in run.groups if group.name == "matrix")
    contestants: dict[str, Take] = {OURS: lambda: update([group], run.optimizer_states, 1.0, 0)}
    for p in roles(run.network)["matrix"]:
        p.grad = torch.randn_like(p)
    contestants |= {name: muon_step(run.network, config, name, runtime.compile) for name in MUONS}
    measured: Seconds = {name: [] for name in contestants}
    for _ in range(WARM_UP + rounds):
        take_turns(contestants, measured)
    return {name: seconds[WARM_UP:] for name, seconds in measured.items()}, str(name_of_precision(run.optimizer_states))


def take_turns(contestants: Mapping[str, Take], measured: Seconds) -> None:
    """Time one step of each."""
    for name, take in contestants.items():
        started = now()
        take()
        measured[name].append(now() - started)


def row(title: str, measured: Seconds) -> list[str]:
    """Lines of a table: our median milliseconds with quartiles, then each peer's and its time over ours."""
    lines = [f"{title:34}{_spread(measured[OURS]):>28}"]
    ratios = {name: _ratio(measured, name) for name in measured if name != OURS}
    for name, ratio in ratios.items():
        lines.append(f"    {name:30}{_spread(measured[name]):>28}{ratio:>8.2f}")
    outside = {name: ratio for name, ratio in ratios.items() if not name.endswith(OWN_FUNCTIONS)}
    best = min(outside, key=outside.__getitem__)
    return [*lines, f"    best without our functions: {outside[best]:.2f} ({best}); of all: {min(ratios.values()):.2f}"]


def _ratio(measured: Seconds, name: str) -> float:
    return statistics.median(theirs / ours for ours, theirs in zip(measured[OURS], measured[name], strict=True))


def _spread(seconds: list[float]) -> str:
    low, middle, high = (1000 * q for q in statistics.quantiles(seconds, n=4))
    return f"{middle:.1f} ({low:.1f} .. {high:.1f})"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table with a part for each width."""
    parser = OneLineParser(prog="python -m benchmarks.step_time", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few repetitions")
    parser.add_argument("--compile", action="store_true", help="compile all networks, and the published Newton-Schulz")
    parser.add_argument("--only", choices=tuple(map(str, ROUNDS)), help="one width")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    runtime = Runtime.detect(compile=options.compile)
    base = search_spaces.load("parameter_golf").scale("proxy").base
    console = Console(goes_on=True)
    dataset = prepare(base.data, say=console.print)
    mode = "compiled" if runtime.compile else "eager"
    about = f"torch {torch.__version__}, {runtime.device_name}, {runtime.precision}, {mode}, one thread"
    console.print(f"{about}; load {os.getloadavg()[0]:.1f}; median ms (quartiles), and the peer's time over ours")
    for width, thorough in ROUNDS.items():
        if options.only not in (None, str(width)):
            continue
        rounds = max(3, thorough // 4) if options.quick else thorough
        config = with_values(base, {"model.model_dim": width})
        found, precision = muon_alone(config, dataset, runtime, rounds)
        for line in row(f"width {width}, Muon ({precision})", found):
            console.print(line)
        for line in row(f"width {width}, whole step", whole_steps(config, dataset, runtime, rounds)):
            console.print(line)
    console.print(f"load {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()
