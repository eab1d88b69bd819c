"""``--show ROWS``: recorded runs, before anything is spent on it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from search_spaces import recorded
from search_spaces.effects import reference
from search_spaces.recorded import ROOT, RecordedRun
from search_spaces.space import Space
from terminal.console import Console
from terminal.counted import counted
from terminal.duration import duration
from terminal.listed import comma_separated
from terminal.short import short
from trainable.component import without_neutral
from trainable.component_paths import difference, leaves
from trainable.config import TrainConfig
from trainable.runtime import Runtime
from tuner.plan import cost as plan
from tuner.proposals.replay_plan import configured, matching
from tuner.spec import AS_RUN


def show(
    console: Console, space: Space, wanted: str, reading: str | None, scale: str | None, overrides: Mapping[str, Any]
) -> None:
    """Print the recorded runs that ``wanted`` names, as ``--replay`` understands it: one in full, several in brief.

    A ValueError for what names none.
    """
    runs = recorded.load(space)
    if re.search(r"\sx[0-9]+\s*$", wanted):
        raise ValueError(f"--show {wanted!r}: a number of seeds is for --replay")
    found = {run.id for item in comma_separated(wanted) for run in matching(space, runs, item)}
    rows = [run for run in runs if run.id in found]
    if len(rows) == 1:
        scale = scale or ("full" if Runtime.detect().device_type == "cuda" else "proxy")
        show_one(console, space, rows[0], reading or AS_RUN, scale, overrides)
        return
    shown, known = (sum(run.base is not None for run in some) for some in (rows, runs))
    others = f", and {counted(rest, 'row')} without a published config" if (rest := len(rows) - shown) else ""
    console.print(f"{space.name}: {counted(shown, 'recorded run')} of {known}{others} (--show ID: one in full)")
    width = max(len(run.id) for run in rows)
    for run in rows:
        console.print(f"  {run.id:{width}}  {brief(run)}")


def brief(run: RecordedRun) -> str:
    """A recorded run in one line: its name, phase, first score, status, and how many overrides on which base."""
    about = f"{run.name} (phase {run.phase.split(' ')[0]})"
    score = next((f"{metric} {value:g}" for metric, value in run.metrics.items()), "no score")
    if run.base is None:
        return f"{about}: {score}, {run.status}; its config was never published"
    base = "the base" if run.base == ROOT else run.base
    return f"{about}: {score}, {run.status}; {counted(len(run.overrides(AS_RUN)), 'change')} from {base}"


def show_one(
    console: Console, space: Space, run: RecordedRun, reading: str, scale: str, overrides: Mapping[str, Any]
) -> None:
    """Print what was recorded of a run, what it changes, its config and its cost."""
    name, runs, runtime = run.id, {r.id: r for r in recorded.load(space)}, Runtime.detect()
    metrics = ", ".join(f"{metric} {value:g}" for metric, value in run.metrics.items())
    console.print(f"{space.name} {name}: {run.name} (phase {run.phase})")
    steps = f", {counted(run.steps, 'step')}" if run.steps else ""
    console.print(f"recorded: {metrics or 'no score'}{steps} ({run.status})")
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
    print_cost_of_one(console, config, runtime)


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


def print_cost_of_one(console: Console, config: TrainConfig, runtime: Runtime) -> None:
    """Tokens and time of one training on this machine."""
    from tuner.cli.plan_text import said  # with torch, which times the model
    from tuner.plan.throughput import tokens_per_second

    tokens = plan.tokens_of(config)
    speed = tokens_per_second(config, runtime)
    budget = f"{config.budget.unit} {config.budget.amount:g}" if tokens is None else f"{tokens:,} tokens"
    time = "" if tokens is None or speed is None else f", about {duration(tokens / speed)} without evaluations"
    console.print(f"cost: {budget}{time}; speed: {said(speed, runtime.device_type == 'cuda')}")


def _shown(value: Any) -> str:
    return "-" if value is None else short(value)
