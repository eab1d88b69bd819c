"""Train every recorded run of every campaign for a few steps: ``python -m search_spaces.coverage``.

Each row, in both readings, is trained on the proxy by the real loop, its time compressed into a few steps: what happens
at step 100 of 240 happens at step 2 of 5. A row passes if both readings train in one compiled graph, without a
recompilation, to finite losses. Readings that come to the same computation are trained once.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m search_spaces.coverage")

import argparse
import functools
import json
import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from storage.location import local_argument
from storage.target import check_file_to_write
from terminal.command_line import OneLineParser
from terminal.complaint import complain
from terminal.console import Console
from terminal.counted import counted
from terminal.exit_codes import BAD_INPUT
from terminal.nearest import nearest
from terminal.option_numbers import at_least_one
from terminal.workers import Workers
from trainable.component import without_neutral
from trainable.component_json import canonical_json, decode
from trainable.component_paths import leaves, with_values
from trainable.config import Budget, TrainConfig
from trainable.data.dataset import DataConfig, Dataset
from trainable.data.preparation import prepare
from trainable.run import Run
from trainable.runtime import Runtime
from trainable.scaling import ratio_tokens
from trainable.train import train

from search_spaces import catalogue, recorded
from search_spaces.recorded import READINGS, RecordedRun, recorded_config
from search_spaces.space import Space

PROGRAM = "python -m search_spaces.coverage"
STEPS = 5
NEIGHBOURS = 8  # configs a process takes at a time; more share more graphs, fewer lose less when stopped
BACKEND = "aot_eager"  # traces forward and backward as the real compiler does, and generates no code
IN_STEPS = ("_steps", "_step")  # endings of the names of knobs that count steps


@dataclass(frozen=True)
class TrainingOutcome:
    """Outcome of one training. ``problem`` is empty if all is well."""

    parameters: int = 0
    graphs: int = 0
    train_loss: float = math.nan
    val_loss: float = math.nan
    problem: str = ""


@dataclass(frozen=True)
class CoverageRow:
    """One recorded run: per reading the key of its compressed config, or why there is none."""

    space: str
    run: RecordedRun
    keys: Mapping[str, str]
    problems: Mapping[str, str]


# --- what to train ----------------------------------------------------------------------------------------------------


def rows_of(
    space: Space, steps: int, configs: dict[str, TrainConfig], only: str | None = None
) -> Iterator[CoverageRow]:
    """The rows of a campaign; the configs they need are added to ``configs`` by key.

    A row whose config was never published is a placeholder, not a run, and is left out.
    """
    runs = recorded.read(Path(__file__).parent / space.name / "runs.csv")
    for run in runs.values():
        if run.base is None or only not in (None, run.id):
            continue
        keys, problems = {}, {}
        for reading in READINGS:
            try:
                config = compressed(without_neutral(recorded_config(space, runs, run.id, reading, "proxy")), steps)
            except ValueError as error:
                problems[reading] = str(error)
            else:
                keys[reading] = config.key(config.data.source)
                configs[keys[reading]] = config
        yield CoverageRow(space.name, run, keys, problems)


def compressed(config: TrainConfig, steps: int) -> TrainConfig:
    """``config`` with its whole run in ``steps`` optimizer steps and a short evaluation."""
    total = in_steps(config.budget, config)
    changes: dict[str, Any] = {
        path: max(1, round(value * steps / total))
        for path, value in leaves(config).items()
        if path.startswith(("hooks.", "model.", "schedule."))
        and path.endswith(IN_STEPS)
        and isinstance(value, int)
        and value > 0
    }
    if config.horizon is not None:
        changes["horizon"] = Budget(steps=math.ceil(in_steps(config.horizon, config) * steps / total))
    changes["evaluation.tokens"], changes["evaluation.tokens_on_the_way"] = 2 * config.evaluation.seq_len, None
    return with_values(config, {**changes, "budget": Budget(steps=steps)})


def in_steps(budget: Budget, config: TrainConfig) -> float:
    """A budget in optimizer steps."""
    if budget.steps is not None:
        return budget.steps
    if budget.tokens is not None:
        return budget.tokens / config.data.batch_tokens
    if budget.param_data_ratio is not None:
        return ratio_tokens(config.model, config.data.vocab_size, budget.param_data_ratio) / config.data.batch_tokens
    if budget.epochs is not None:
        return budget.epochs * dataset(config.data).train.total_tokens / config.data.batch_tokens
    raise ValueError(f"the budget is in {budget.unit}: how many steps that is depends on the machine")


# --- training it ------------------------------------------------------------------------------------------------------


def attempt(text: str, backend: str = BACKEND) -> TrainingOutcome:
    """Train a config, given as JSON, to its end. Whatever goes wrong is the outcome's problem, not an exception."""
    try:
        config = decode_config(text)
        with counted_graphs(backend) as used:
            run = Run.start(config, dataset(config.data), Runtime(compile=True))
            *_, last = train(run)
    except Exception as error:  # whatever a component raises is what its row shows
        lines = str(error).strip().splitlines()
        return TrainingOutcome(problem=f"{type(error).__name__}: {lines[0] if lines else ''}")
    return judged(
        TrainingOutcome(run.num_parameters, len(used), last.train_loss or math.nan, last.val_loss or math.nan),
        last.status,
    )


def judged(outcome: TrainingOutcome, status: str) -> TrainingOutcome:
    """The outcome with its problem, if the numbers are one."""
    problem = ""
    if status != "completed":
        problem = f"ended as {status}"
    elif not (math.isfinite(outcome.train_loss) and math.isfinite(outcome.val_loss)):
        problem = "a loss is not finite"
    elif outcome.graphs != 1:
        problem = f"{outcome.graphs} graphs"
    return replace(outcome, problem=problem)


@contextmanager
def counted_graphs(backend: str) -> Iterator[set[int]]:
    """The numbers of the compiled graphs that are run inside the block to train; the evaluation has one of its own.

    Counting runs, not compilations, lets configs of one structure share a graph, which is most of this module's speed.
    """
    used: set[int] = set()
    before = torch.compiler.get_default_backend()
    counter = _counter(backend)
    counter.used = used
    torch.compiler.set_default_backend(counter)
    try:
        yield used
    finally:
        torch.compiler.set_default_backend(before)


class _Counter:
    """A compiler backend that notes which of its graphs are run."""

    def __init__(self, backend: str) -> None:
        # here, since an audit shrinks its runs by this file and compiles none
        from torch._dynamo import lookup_backend  # type: ignore[attr-defined]

        self.compiled, self.used = 0, set[int]()
        self.inner = lookup_backend(backend)

    def __call__(self, graph: torch.fx.GraphModule, inputs: list[torch.Tensor]) -> Callable[..., Any]:
        self.compiled += 1
        number, run = self.compiled, self.inner(graph, inputs)

        def noted(*arguments: Any) -> Any:
            if torch.is_grad_enabled():
                self.used.add(number)
            return run(*arguments)

        return noted


@functools.cache
def _counter(backend: str) -> _Counter:
    return _Counter(backend)  # one object, since graphs compiled by another backend would not be found again


@functools.cache
def dataset(config: DataConfig) -> Dataset:
    return prepare(config)


def decode_config(text: str) -> TrainConfig:
    config = decode(json.loads(text))
    assert isinstance(config, TrainConfig)
    return config


def train_all(
    configs: Mapping[str, TrainConfig], jobs: int, backend: str, journal: Path | None = None
) -> dict[str, TrainingOutcome]:
    """The outcome of each config by key; neighbours have the same structure, so each process gets a run of them.

    A ``journal`` takes each outcome as it comes in; what passed according to it is not trained again.
    """
    before = passed_before(journal, backend)
    texts = {key: canonical_json(config) for key, config in configs.items() if key not in before}
    outcomes = {key: before[key] for key in configs if key in before}
    order = sorted(texts, key=lambda key: canonical_json(configs[key].model))
    for data in {config.data for config in configs.values()}:
        dataset(data)  # tokenised once, before processes wait for each other's lock
    if jobs == 1:
        return outcomes | _collected(order, (attempt(texts[key], backend) for key in order), journal, backend)
    with Workers(jobs, functools.partial(torch.set_num_threads, 1)) as pool:
        chunk = max(1, min(NEIGHBOURS, math.ceil(len(order) / (4 * jobs))))
        found = pool.map(functools.partial(attempt, backend=backend), (texts[key] for key in order), chunksize=chunk)
        return outcomes | _collected(order, found, journal, backend)


def passed_before(journal: Path | None, backend: str) -> dict[str, TrainingOutcome]:
    """Read which trainings a journal says passed on a backend; a failure is tried again."""
    if journal is None or not journal.exists():
        return {}
    found = {}
    for number, text in enumerate(journal.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        try:
            line = json.loads(text)
            if line["backend"] == backend:
                found[line["key"]] = TrainingOutcome(**line["outcome"])
        except (ValueError, RecursionError, TypeError, KeyError) as error:
            raise ValueError(f"--journal {str(journal)!r}: line {number} is no outcome: {error!r}") from None
    return {key: outcome for key, outcome in found.items() if not outcome.problem}


def _collected(
    order: Sequence[str], found: Iterable[TrainingOutcome], journal: Path | None, backend: str
) -> dict[str, TrainingOutcome]:
    """Outcomes by key as they come in, which may take minutes."""
    outcomes: dict[str, TrainingOutcome] = {}
    console = Console(stderr=True)
    for key, outcome in zip(order, found, strict=True):
        outcomes[key] = outcome
        if journal is not None:
            with journal.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"key": key, "backend": backend, "outcome": asdict(outcome)}) + "\n")
        if outcome.problem:
            console.print()
            console.print(f"{key}: {outcome.problem}")
        console.print(f"{len(outcomes)} of {len(order)} configs trained", end="\r")
    console.print()
    return outcomes


# --- the table --------------------------------------------------------------------------------------------------------


def table(rows: Iterable[CoverageRow], outcomes: Mapping[str, TrainingOutcome]) -> Iterator[str]:
    """Lines of Markdown: a row for each recorded run, both readings side by side."""
    yield "| space | run | name | parameters | as_logged: graphs, loss | as_run: graphs, loss | result |"
    yield "|---|---|---|---|---|---|---|"
    for row in rows:
        found = outcomes_of(row, outcomes)
        sizes = " / ".join(dict.fromkeys(f"{outcome.parameters:,}" for outcome in found.values()))
        cells = [_cell(found[reading]) for reading in READINGS]
        result = "passed" if passed(row, outcomes) else "FAILED"
        yield f"| {' | '.join([row.space, row.run.id, row.run.name.replace('|', '/'), sizes, *cells, result])} |"


def outcomes_of(row: CoverageRow, outcomes: Mapping[str, TrainingOutcome]) -> dict[str, TrainingOutcome]:
    """Return the outcome of a row's training in each reading."""
    return {r: outcomes[row.keys[r]] if r in row.keys else TrainingOutcome(problem=row.problems[r]) for r in READINGS}


def passed(row: CoverageRow, outcomes: Mapping[str, TrainingOutcome]) -> bool:
    return all(outcome.problem == "" for outcome in outcomes_of(row, outcomes).values())


def _cell(outcome: TrainingOutcome) -> str:
    return outcome.problem or f"{outcome.graphs}, {outcome.train_loss:.3f} / {outcome.val_loss:.3f}"


# --- the command ------------------------------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    """0 if every row passes, 1 if one does not, 2 if the question makes no sense."""
    options, console = _options(arguments), Console(goes_on=True)
    torch.set_num_threads(1)
    configs: dict[str, TrainConfig] = {}
    try:
        names = catalogue.names() if options.space is None else [options.space]
        rows = [row for name in names for row in rows_of(catalogue.load(name), options.steps, configs, options.only)]
        if not rows:
            every = [run for name in names for run in recorded.read(Path(__file__).parent / name / "runs.csv")]
            raise ValueError(f"no recorded run is called {options.only!r}: {nearest(options.only, every, 'ids')}")
        rows = sample(rows, options.every, options.write)
        _check(options)
    except ValueError as error:
        complain(PROGRAM, error)
        return BAD_INPUT
    asked = {key for row in rows for key in row.keys.values()}
    configs = {key: config for key, config in configs.items() if key in asked}
    outcomes = train_all(configs, options.jobs, options.backend, options.journal)
    lines = [
        *table(rows, outcomes),
        "",
        f"{counted(len(rows), 'row')}, {sum(passed(row, outcomes) for row in rows)} passed",
    ]
    for line in lines:
        console.print(line)
    if options.write:
        options.write.write_text("\n".join([*_preface(options), *lines, ""]), encoding="utf-8")
    return 0 if all(passed(row, outcomes) for row in rows) else 1


def _check(options: argparse.Namespace) -> None:
    from torch._dynamo import list_backends  # type: ignore[attr-defined]

    known = list_backends(None)
    if options.backend not in known:
        raise ValueError(f"--backend {options.backend!r} does not exist: {nearest(options.backend, known, 'backends')}")
    for name, file in (("--write", options.write), ("--journal", options.journal)):
        if file is not None:
            check_file_to_write(name, file)
    passed_before(options.journal, options.backend)  # or a damaged journal would be found out later


def sample(rows: Sequence[CoverageRow], number: int, written: Path | None) -> list[CoverageRow]:
    """Each ``number``-th row from the first on, for a backend that is too slow for all of them."""
    if written is not None and number > 1:
        raise ValueError("--every and --write exclude each other: a table that is kept has every row")
    return list(rows[::number])


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = OneLineParser(prog=PROGRAM, description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--space", metavar="NAME", help="one campaign; default: all of them")
    parser.add_argument("--only", metavar="ID", help="one recorded run")
    parser.add_argument("--every", type=at_least_one, default=1, metavar="N", help="train each N-th row only")
    parser.add_argument("--steps", type=at_least_one, default=STEPS, help=f"optimizer steps; default: {STEPS}")
    parser.add_argument(
        "--backend", default=BACKEND, help=f"of torch.compile: eager, inductor, ...; default: {BACKEND}"
    )
    parser.add_argument("--jobs", type=at_least_one, default=os.cpu_count() or 1, help="processes; default: one a core")
    parser.add_argument(
        "--journal", type=local_argument, metavar="FILE", help="keep outcomes there as they come in, and go on from it"
    )
    parser.add_argument("--write", type=local_argument, metavar="FILE", help="write the table there too")
    return parser.parse_args(arguments)


def _preface(options: argparse.Namespace) -> list[str]:
    return [
        "# Coverage of the recorded runs",
        "",
        "Written by `python -m search_spaces.coverage --write docs/coverage.md`. Every recorded run, in both readings,",
        f"trained for {options.steps} steps on the proxy with its time compressed: parameters there, compiled graphs",
        "(1 means that nothing was recompiled), training and validation loss in nats per token. Rows that stand for",
        "configs that were never published are no runs and are not counted.",
        "",
    ]


if __name__ == "__main__":
    sys.exit(main())
