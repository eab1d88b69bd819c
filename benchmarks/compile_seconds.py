"""Seconds to compile a proxy's step from nothing, and time of the step: as a whole, by blocks, and not compiled.

Each row is a process of its own with an empty cache and one compiling thread. Seconds are those of the processor, the
C++ compiler's included, which a busy machine lengthens less than the time that passes. Tokens are made up; the same
weights and batch give the losses, whose distance from the eager one is printed.

    OMP_NUM_THREADS=1 python -m benchmarks.compile_seconds --space nanochat --layers 8
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m benchmarks.compile_seconds")

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import Any

import torch

import search_spaces
from benchmarks.gpu.made_up import made_up
from terminal.command_line import OneLineParser
from terminal.console import Console
from terminal.option_numbers import at_least_one
from trainable import compile_cache
from trainable.compiled_objective import build_objective
from trainable.component_paths import with_values
from trainable.config import TrainConfig
from trainable.data.dataset import Dataset
from trainable.objective import next_step
from trainable.run import Run
from trainable.runtime import Runtime

FORMS = {
    "eager": Runtime(),
    "whole": Runtime(compile=True),
    "blocks": Runtime(compile=True, compile_blocks=True),
}
SPACES = ("parameter_golf", "nanochat")
STEPS, WARM_UP = 12, 3
MADE_UP_TOKENS = (200_000, 40_000)  # of training and of validation, of which a proxy scores up to 32,768


def measured(config: TrainConfig, runtime: Runtime) -> dict[str, float]:
    """Seconds to compile the step and the evaluation, milliseconds of a forward and backward pass, and its loss."""
    run = Run.start(config, texts(config), runtime)
    began = _processor_seconds()
    objective = build_objective(run)
    seconds = _processor_seconds() - began
    step, _ = next_step(run, objective, 0.0)
    taken = []
    for _ in range(STEPS):
        started = time.process_time()
        loss = float(step.recompute_gradients())
        taken.append(time.process_time() - started)
    return {"seconds": seconds, "milliseconds": 1000 * statistics.median(taken[WARM_UP:]), "loss": loss}


def texts(config: TrainConfig) -> Dataset:
    """Made-up tokens, enough for a few steps and for the evaluation."""
    assert config.data.vocab_size is not None
    return made_up(config.data.vocab_size, *MADE_UP_TOKENS)


def _processor_seconds() -> float:
    """Processor time of this process and of those that it has started and that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def proxy(space: str, layers: int | None) -> TrainConfig:
    """The base of a space's proxy, with so many layers if that is given."""
    base = search_spaces.load(space).scale("proxy").base
    if layers is None:
        return base
    halved = {"model.encoder_layers": layers // 2} if hasattr(base.model, "encoder_layers") else {}
    return with_values(base, {"model.num_layers": layers, **halved})


def in_a_process(arguments: Sequence[str]) -> dict[str, Any]:
    """The figures of one form, from a process of its own with nothing compiled before."""
    with tempfile.TemporaryDirectory(prefix="compile_seconds.") as folder:
        environment = {**os.environ, compile_cache.VARIABLE: folder, "TORCHINDUCTOR_COMPILE_THREADS": "1"}
        command = [sys.executable, "-m", "benchmarks.compile_seconds", *arguments]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a line for each form."""
    parser = OneLineParser(prog="python -m benchmarks.compile_seconds", description=__doc__)
    parser.add_argument("--space", choices=SPACES, default=SPACES[0], help=f"whose proxy (default: {SPACES[0]})")
    parser.add_argument("--layers", type=at_least_one, help="blocks (default: the proxy's)")
    parser.add_argument("--only", choices=tuple(FORMS), help="one form, in this process, as JSON")
    options = parser.parse_args(arguments)
    console, config = Console(goes_on=True), proxy(options.space, options.layers)
    torch.set_num_threads(1)
    if options.only:
        console.print(json.dumps(measured(config, FORMS[options.only])))
        return
    asked = ["--space", options.space, *(["--layers", str(options.layers)] if options.layers else [])]
    console.print(f"torch {torch.__version__}, {options.space}, {config.model.num_layers} layers")  # type: ignore[attr-defined]
    eager = None
    for form in FORMS:
        found = in_a_process([*asked, "--only", form])
        eager = eager or found
        console.print(
            f"{form}: {found['seconds']:.1f} s to compile, {found['milliseconds']:.1f} ms a pass, "
            f"loss off by {abs(found['loss'] - eager['loss']):.1e}; load {os.getloadavg()[0]:.1f}"
        )


if __name__ == "__main__":
    main()
