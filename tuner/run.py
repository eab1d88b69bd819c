"""``python -m tuner.run``: the main job. Read this first.

A campaign is a folder. This file turns the command line into one (or finds it again), connects to Ray, lets
``search.py`` work, and says at the end what was found, where it is and how to go on. Exit codes: 0 done, 1 done but
trials crashed, 2 bad input, 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from rich.console import Console

from results.frames import load as load_results
from results.names import campaign_folder
from results.report import print_leaderboard, print_where
from results.store import Store
from search_spaces import load as load_space
from search_spaces.space import Space
from trainable.component import encode
from trainable.config import TrainConfig
from trainable.data import Dataset, prepare
from trainable.ray_trainable import STOP_FILE
from trainable.runtime import Runtime
from tuner import catalogue, cluster, options, plan, provenance
from tuner.display import Display, clock
from tuner.early_stopping import REDUCTION
from tuner.search import Search, Settings

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
PROGRAM = "python -m tuner.run"


@dataclass(frozen=True)
class Question:
    """What a campaign asks, resolved: the space without the knobs that were fixed, and the base with them set."""

    space: Space
    scale: str
    base: TrainConfig
    overrides: dict[str, Any]
    trials: int
    seed: int


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    given = options.parse(arguments)
    console = Console(highlight=False, soft_wrap=True, markup=False, emoji=False)  # names may hold brackets and colons
    try:
        if given.list:
            catalogue.show(console, given.space, given.results)
            return DONE
        if given.resume is not None:
            return resume(console, given)
        return begin(console, given)
    except ValueError as error:
        print(f"{PROGRAM}: {' '.join(str(error).split())}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:  # before or after the search, which takes signals itself
        print(f"{PROGRAM}: {INTERRUPTION}", file=sys.stderr)
        return INTERRUPTED


def begin(console: Console, given: argparse.Namespace) -> int:
    """A new campaign."""
    here = cluster.local(given.concurrent if given.address is None else None)
    space = load_space(given.space)
    if given.address is not None and not given.dry_run:
        here = cluster.connect(given.address, given.concurrent)
    scale = given.scale or ("full" if here.has_gpu else "proxy")
    question = ask(space, scale, given.overrides, given.trials, given.seed)
    name = given.name if given.name is not None else f"{space.name}-{scale}-{time.strftime('%Y%m%d-%H%M%S')}"
    folder = campaign_folder(given.results, name)
    if os.path.lexists(folder):
        raise ValueError(
            f"campaign {name!r} exists already: go on with it by --resume {name}, or choose another --name"
        )
    describe(console, question, here)
    if given.dry_run:
        print_cost(console, question, here, not given.no_early_stopping)
        return DONE
    dataset = read(console, question.base)
    try:
        store = Store.create(folder, campaign_record(question, dataset, given), question.space.column_types())
    except OSError as error:
        raise ValueError(f"the campaign's folder {str(folder)!r} cannot be written: {error.strerror}") from None
    return search(console, question, store, dataset, here, given)


def resume(console: Console, given: argparse.Namespace) -> int:
    """Go on with a campaign: the same question, what is left of the budget."""
    folder = latest(given.results) if given.resume == options.LATEST else find(given.results, given.resume)
    store = Store.open(folder, on_corrupt=lambda path, why: console.print(f"set aside as {path.name}: {why}"))
    was = store.campaign
    if given.space not in (None, was["space"]):
        raise ValueError(f"campaign {folder.name!r} searches {was['space']!r}, not {given.space!r}")
    trials = given.trials or int(was["trials"])
    question = ask(load_space(str(was["space"])), str(was["scale"]), was["overrides"], trials, was["seed"])
    if encode(question.base) != was["base"] or question.space.column_types() != was["knobs"]:
        raise ValueError(
            f"campaign {folder.name!r} was started with another version of space {was['space']!r}: start a new one"
        )
    here = cluster.local(given.concurrent if given.address is None else None)
    if given.address is not None:
        here = cluster.connect(given.address, given.concurrent)
    describe(console, question, here)
    if given.dry_run:
        print_cost(console, question, here, bool(was["early_stopping"]))
        return DONE
    dataset = read(console, question.base)
    if dataset.fingerprint != was["data"]:
        raise ValueError(
            f"the data have changed since campaign {folder.name!r} began: {dataset.fingerprint}, not {was['data']}"
        )
    given.no_early_stopping = not was["early_stopping"]
    return search(console, question, store, dataset, here, given)


def ask(space: Space, scale: str, overrides: dict[str, Any], trials: int | None, seed: int | None) -> Question:
    """Resolve the question; every unknown name is a ValueError."""
    chosen = space.scale(scale)
    settled = overrides | ({"seed": seed} if seed is not None else {})
    base, rest = space.fixed(chosen.base, settled)
    for path, value in rest.values_of(base).items():
        if value not in rest.knob(path).domain:
            raise ValueError(
                f"{path} is {value!r} in the base but is searched in {rest.knob(path).domain}: set it with --set too"
            )
    return Question(rest, scale, base, overrides, trials or chosen.trials, base.seed)


def read(console: Console, base: TrainConfig) -> Dataset:
    """The data, prepared on this machine if they are not yet."""
    tokens, source = plan.tokens_of(base), base.data.source
    try:
        dataset = prepare(base.data, train_tokens_needed=tokens, say=lambda line: console.print(f"data: {line}"))
    except OSError as error:
        raise ValueError(f"data.source {source!r} cannot be prepared: {error}") from None
    console.print(f"data: {dataset.description}")
    return dataset


def search(
    console: Console,
    question: Question,
    store: Store,
    dataset: Dataset,
    here: cluster.Cluster,
    given: argparse.Namespace,
) -> int:
    """Run the campaign until its budget, its hours or the user end it."""
    settings = Settings(
        trials=question.trials,
        slots=here.slots,
        seed=question.seed,
        early_stopping=not given.no_early_stopping,
        hours=given.hours,
        compile=given.compile,
    )
    with only_driver(store.folder):
        (store.folder / STOP_FILE).unlink(missing_ok=True)
        campaign = Search(
            question.space, question.base, store, dataset.fingerprint, settings, provenance.code_version()
        )
        if campaign.exhausted:
            console.print(f"nothing left to do: all {question.trials} trials have ended (--trials asks for more)")
        else:
            console.print(f"campaign: {store.folder}")
            run_on_ray(console, campaign, here, given.address)
        return conclude(console, campaign)


def run_on_ray(console: Console, campaign: Search, here: cluster.Cluster, address: str | None) -> None:
    """Start Ray (unless a cluster is joined already), show the display, and fit."""
    import ray

    from tuner.ray_shell import fit

    if not ray.is_initialized():
        console.print("starting Ray ...")
        here = cluster.connect(address, here.slots)
    started = time.monotonic()
    with interruptible(campaign), Display(campaign, console):  # after Ray, which takes SIGTERM for itself
        fit(campaign, here.resources)
    seconds = time.monotonic() - started
    ray.shutdown()
    share = campaign.trained_seconds / (seconds * here.slots)
    console.print(f"searched for {clock(seconds)}; trials trained for {share:.0%} of the time of {here.about}")


def conclude(console: Console, campaign: Search) -> int:
    """The leaderboard, the files, and how to go on."""
    results = load_results(campaign.folder)
    console.print()
    print_leaderboard(console, results)
    console.print()
    print_where(console, campaign.folder)
    crashed = campaign.ledger.counts().get("crashed", 0)
    if crashed:
        where = f"the last line of each error is in trials.reason, all of it in {campaign.folder / 'errors'}"
        console.print(f"{crashed} {'trial' if crashed == 1 else 'trials'} crashed: {where}")
    left = len(campaign.ledger.unfinished())
    if campaign.stopping and (left or campaign.num_started < campaign.settings.trials):
        console.print(f"ended early ({campaign.stopping}). Go on with: {PROGRAM} --resume {campaign.folder.name}")
    if campaign.stopping == INTERRUPTION:
        return INTERRUPTED
    return FAILED if crashed else DONE


INTERRUPTION = "interrupted"


@contextmanager
def interruptible(campaign: Search) -> Iterator[None]:
    """The first SIGINT or SIGTERM asks all trials for checkpoints and ends the campaign; a second one ends at once."""

    def on_signal(number: int, frame: Any) -> None:
        if campaign.stopping == INTERRUPTION:
            os._exit(INTERRUPTED)  # local Ray processes end with their driver
        campaign.stopping = ""
        campaign.stop(INTERRUPTION)

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def only_driver(folder: Path) -> Iterator[None]:
    """Hold the campaign: two drivers would overwrite each other's rows."""
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise ValueError(f"campaign {folder.name!r} is being run by another process") from None
    try:
        yield
    finally:
        lock.release()


def campaign_record(question: Question, dataset: Dataset, given: argparse.Namespace) -> dict[str, Any]:
    """What ``campaign.json`` keeps: the resolved question and what it is asked with."""
    return {
        "space": question.space.name,
        "question": question.space.question,
        "scale": question.scale,
        "objective": question.space.objective,
        "overrides": question.overrides,
        "base": encode(question.base),
        "ranges": {k.path: {"domain": str(k.domain), "why": k.why, "when": k.when} for k in question.space.knobs},
        "trials": question.trials,
        "seed": question.seed if given.seed is not None else None,
        "early_stopping": not given.no_early_stopping,
        "compile": given.compile,
        "data": dataset.fingerprint,
        "data_description": dataset.description,
        "code_version": provenance.code_version(),
        "environment": provenance.environment(),
        "created_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def describe(console: Console, question: Question, here: cluster.Cluster) -> None:
    """What is about to be asked, and of what."""
    space, base = question.space, question.base
    console.print(f"space: {space.name} - {space.question}")
    console.print(f"scale: {question.scale} - {space.scale(question.scale).about}")
    fixed = "".join(f", {path}={value}" for path, value in question.overrides.items())
    budget = f"{base.budget.unit} {base.budget.amount:g}"
    console.print(f"plan: {question.trials} trials on {here.about}, {budget} each, {len(space.knobs)} knobs{fixed}")


def print_cost(console: Console, question: Question, here: cluster.Cluster, early_stopping: bool) -> None:
    """The answer to --dry-run."""
    speed = plan.measure_tokens_per_second(question.base, Runtime.detect())
    cost = plan.plan(question.base, question.trials, here.slots, early_stopping, speed)
    rungs = ", ".join(map(str, cost.rungs)) or "none"
    console.print(f"early stopping: {cost.unit} {rungs} of {cost.budget:g}; one trial in {REDUCTION} goes on at each")
    if cost.tokens is not None:
        console.print(f"tokens: {cost.tokens:,} a trial, at most {cost.tokens * cost.trials:,} in all")
    if cost.seconds is not None and cost.total_seconds is not None:
        console.print(
            f"speed: {speed:,.0f} tokens/s forward and backward on this machine, so {clock(cost.seconds)} a trial"
        )
        expected = clock(cost.total_seconds * cost.expected_share)
        console.print(
            f"time: at most {clock(cost.total_seconds)} if nothing is stopped, {expected} if every rung stops its share"
        )
    console.print("dry run: nothing was trained or written")


def find(runs: Path, name: str) -> Path:
    """The campaign called ``name`` below ``runs``, or at the path ``name``."""
    return Path(name) if os.path.isfile(Path(name) / "campaign.json") else campaign_folder(runs, Path(name).name)


def latest(runs: Path) -> Path:
    """The campaign that was started last."""
    found = sorted(runs.glob("*/campaign.json"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise ValueError(f"there is no campaign in {runs} to resume")
    return found[-1].parent


if __name__ == "__main__":
    sys.exit(main())
