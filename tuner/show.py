"""``--show ID``: one recorded run, before anything is spent on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from results.report import short
from search_spaces import recorded
from search_spaces.effects import reference
from search_spaces.recorded import ROOT
from search_spaces.space import Space
from terminal.console import Console
from terminal.nearest import nearest
from trainable.component import difference, leaves, without_neutral
from trainable.config import TrainConfig
from trainable.runtime import Runtime
from tuner import plan
from tuner.describe import said
from tuner.display import clock
from tuner.replay import AS_RUN, configured
from tuner.speed import tokens_per_second


def show(
    console: Console, space: Space, name: str, reading: str | None, scale: str | None, overrides: Mapping[str, Any]
) -> None:
    """Print what was recorded of a run, what it changes, its config and its cost; an unknown id is a ValueError."""
    runs = {run.id: run for run in recorded.load(space)}
    if name not in runs:
        raise ValueError(f"{space.name} has no recorded run {name!r}: {nearest(name, runs, 'ids')}")
    run, runtime = runs[name], Runtime.detect()
    reading, scale = reading or AS_RUN, scale or ("full" if runtime.device_type == "cuda" else "proxy")
    metrics = ", ".join(f"{metric} {value:g}" for metric, value in run.metrics.items())
    console.print(f"{space.name} {name}: {run.name} (phase {run.phase})")
    console.print(f"recorded: {metrics or 'no score'}{f', {run.steps} steps' if run.steps else ''} ({run.status})")
    if run.note:
        console.print(f"note: {run.note}")
    config = configured(space, name, reading, scale, overrides)
    other = next(r for r in recorded.READINGS if r != reading)
    if difference(config, configured(space, name, other, scale, overrides)):
        console.print(f"reading: {reading}; {other} is another training (--reading {other})")
    else:
        console.print("reading: the same in both, as_logged and as_run")
    base, first = run.base or ROOT, reference(list(runs.values())).id
    root = space.scale(scale).base if base == ROOT else configured(space, base, reading, scale, overrides)
    print_changes(console, f"changes from {'the base of the space' if base == ROOT else base}", root, config)
    if first not in (name, base):
        print_changes(console, f"changes from {first}", configured(space, first, reading, scale, overrides), config)
    console.print(f"config at scale {scale}, with everything that is not neutral:")
    print_table(console, {path: short(value) for path, value in leaves(config).items()})
    print_cost(console, config, runtime)


def print_changes(console: Console, title: str, base: TrainConfig, config: TrainConfig) -> None:
    """The paths in which two configs differ; what one side does not have is shown as a dash."""
    changes = difference(without_neutral(base), config)
    console.print(f"{title}:" if changes else f"{title}: none")
    cells = {path: f"{_shown(there)}  (from {_shown(here)})" for path, (here, there) in changes.items()}
    print_table(console, cells)


def print_table(console: Console, cells: Mapping[str, str]) -> None:
    width = max(map(len, cells), default=0)
    for path, text in cells.items():
        console.print(f"  {path:{width}}  {text}")


def print_cost(console: Console, config: TrainConfig, runtime: Runtime) -> None:
    """Tokens and time of one training on this machine."""
    tokens = plan.tokens_of(config)
    speed = tokens_per_second(config, runtime)
    budget = f"{config.budget.unit} {config.budget.amount:g}" if tokens is None else f"{tokens:,} tokens"
    time = "" if tokens is None or speed is None else f", about {clock(tokens / speed)} without evaluations"
    console.print(f"cost: {budget}{time}; speed: {said(speed, runtime.device_type == 'cuda')}")


def _shown(value: Any) -> str:
    return "-" if value is None else short(value)
