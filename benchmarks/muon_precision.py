"""Validation loss with Muon's iterations in bfloat16 beside float32: ``python -m benchmarks.muon_precision``.

    OMP_NUM_THREADS=1 python -m benchmarks.muon_precision --width 128 --steps 60 --seeds 3

The golf proxy is trained at a width where a CPU may choose either (``trainable/optimizers/iteration_precision.py``), on
the same seeds in both. What the precision does is the mean difference over seeds; beside it stands the standard
deviation over seeds within one precision.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m benchmarks.muon_precision")

import statistics
from collections.abc import Sequence
from dataclasses import replace

import torch

import search_spaces
from terminal.command_line import OneLineParser
from terminal.console import Console
from terminal.option_numbers import at_least_one, whole_number
from trainable.component_paths import with_values
from trainable.config import Budget, TrainConfig
from trainable.data.dataset import Dataset
from trainable.data.preparation import prepare
from trainable.optimizers.iteration_precision import name_of_precision
from trainable.run import Run
from trainable.runtime import Runtime
from trainable.train import train

PRECISIONS = ("fp32", "bf16")


def loss_of(config: TrainConfig, dataset: Dataset, precision: str) -> float:
    """Train with the iterations in ``precision``, and return the validation loss at the end."""
    run = Run.start(config, dataset, Runtime())
    for state in run.optimizer_states.values():
        if "bfloat16" in state:
            state["bfloat16"] = precision == "bf16"
    assert name_of_precision(run.optimizer_states) == precision
    *_, last = train(run)
    assert last.val_loss is not None
    return last.val_loss


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a line for each seed, and what both have in common."""
    parser = OneLineParser(prog="python -m benchmarks.muon_precision", description=__doc__)
    parser.add_argument("--width", type=at_least_one, default=128, help="channels, a multiple of 16")
    parser.add_argument("--steps", type=at_least_one, default=60)
    parser.add_argument("--seeds", type=whole_number(2, 1000, "at least 2"), default=3)
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    base = with_values(search_spaces.load("parameter_golf").scale("proxy").base, {"model.model_dim": given.width})
    base = replace(base, budget=Budget(steps=given.steps))
    console = Console(goes_on=True)
    dataset = prepare(base.data, say=console.print)
    found: dict[str, list[float]] = {precision: [] for precision in PRECISIONS}
    for seed in range(given.seeds):
        for precision, losses in found.items():
            losses.append(loss_of(replace(base, seed=seed), dataset, precision))
        console.print(f"seed {seed}: " + ", ".join(f"{name} {losses[-1]:.4f}" for name, losses in found.items()))
    apart = [bf16 - fp32 for fp32, bf16 in zip(*found.values(), strict=True)]
    console.print(
        f"width {given.width}, {given.steps} steps: bf16 minus fp32 {statistics.mean(apart):+.4f} nats/token (SD over "
        f"seeds {statistics.stdev(apart):.4f}); SD of seeds in fp32 {statistics.stdev(found['fp32']):.4f}"
    )


if __name__ == "__main__":
    main()
