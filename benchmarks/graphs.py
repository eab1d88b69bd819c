"""Graphs that a campaign compiles in one worker process, beside the structures that its trials have.

Random configs of a space train one after another in this process, each for one compiled step of made-up tokens. The
compiler is torch's ``aot_eager`` unless another is asked for: it traces and differentiates each graph as Inductor gets
it, and generates no code. The model has four layers of a small width: a graph depends on what is computed, not on how
wide it is. A structure is what a config chooses beside its numbers.

    python -m benchmarks.graphs --space nanochat --trials 30
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m benchmarks.graphs")

import dataclasses
import functools
import gc
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

import search_spaces
from benchmarks.gpu.made_up import SMALL_VOCAB
from benchmarks.gpu.reused_process import drawn
from benchmarks.gpu.small import start
from search_spaces.space import Space
from terminal.command_line import OneLineParser
from terminal.console import Console
from terminal.option_numbers import at_least_one
from trainable.compiled_objective import build_objective
from trainable.config import Budget, TrainConfig
from trainable.data.dataset import DataConfig
from trainable.evaluation.evaluate import EvaluationConfig
from trainable.runtime import Runtime

SIZES = {"num_layers": 4, "model_dim": 32, "aspect_ratio": 8, "head_dim": 8, "short_window": 4}
BACKENDS = ("aot_eager", "eager", "inductor")
GRAPH_FIELDS = ("model", "losses")  # of a config: what a graph computes
# Choices of where weights start or how they move, which leave the computation as it is; and a number that is a constant
# of the attention kernel, so that each of its values is a structure.
STARTS, CONSTANTS = ("model.zero_init_proj", "model.alpha_reparam"), ("model.dropout",)


@dataclass
class Counted:
    """A compiler that counts the graphs that train; each structure has another that evaluates."""

    backend: Callable[..., Any]
    graphs: set[int] = field(default_factory=set)

    def __call__(self, graph: Any, inputs: Any) -> Callable[..., Any]:
        run = self.backend(graph, inputs)

        def noted(*arguments: Any) -> Any:
            if torch.is_grad_enabled():
                self.graphs.add(id(run))
            return run(*arguments)

        return noted


@dataclass(frozen=True)
class Campaign:
    """Trials of one process."""

    trials: int
    structures: int
    graphs: int
    compile_seconds: float


def small(space: Space) -> TrainConfig:
    """The base of the proxy at a size that traces in a second, on made-up tokens."""
    base = space.scale("proxy").base
    known = {f.name for f in dataclasses.fields(base.model)}
    return dataclasses.replace(
        base,
        model=dataclasses.replace(base.model, **{name: SIZES[name] for name in SIZES.keys() & known}),
        data=DataConfig(vocab_size=SMALL_VOCAB, seq_len=16, batch_tokens=64),
        budget=Budget(steps=1),
        horizon=None,
        evaluation=EvaluationConfig(tokens=64, seq_len=16, batch_tokens=64),
    )


def structure(values: dict[str, Any]) -> frozenset[tuple[str, str]]:
    """The choices of a config that decide its graph: those that are no numbers; of a number, whether it is off (0)."""
    return frozenset(
        (path, str(value != 0.0) if isinstance(value, float) and path not in CONSTANTS else repr(value))
        for path, value in values.items()
        if path.startswith(GRAPH_FIELDS) and path not in STARTS
    )


def campaign(space: Space, trials: int, seed: int, backend: str) -> Campaign:
    """Compile a step of each of some random configs, as an actor that is reused does."""
    counted, compile = Counted(torch._dynamo.lookup_backend(backend)), torch.compile
    torch._dynamo.reset()
    torch.compile = functools.partial(compile, backend=counted)  # type: ignore[assignment]
    base, draw, structures, seconds = small(space), random.Random(seed), set(), 0.0
    try:
        for _ in range(trials):
            values = drawn(space, draw)
            structures.add(structure(values))
            run = start(space.config(base, values), Runtime("cpu", "fp32", compile=True))
            build_objective(run)
            seconds += run.compile_seconds
            del run
            gc.collect()
    finally:
        torch.compile = compile
    return Campaign(trials, len(structures), len(counted.graphs), seconds)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a line a space."""
    parser = OneLineParser(prog="python -m benchmarks.graphs", description=__doc__)
    parser.add_argument("--space", choices=search_spaces.names(), help="one of the spaces (default: each of them)")
    parser.add_argument("--trials", type=at_least_one, default=30, help="random configs of a space (default: 30)")
    parser.add_argument("--seed", type=int, default=0, help="of the draw (default: 0)")
    parser.add_argument("--backend", choices=BACKENDS, default=BACKENDS[0], help="of torch.compile")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    console = Console(goes_on=True)
    console.print(f"torch {torch.__version__}, {options.backend}, {options.trials} random configs in one process")
    for name in [options.space] if options.space else search_spaces.names():
        found = campaign(search_spaces.load(name), options.trials, options.seed, options.backend)
        console.print(
            f"{name}: {found.graphs} graphs for {found.structures} structures, "
            f"{found.graphs - 1} recompilations, {found.compile_seconds:.0f} s"
        )


if __name__ == "__main__":
    main()
