"""``python -m tuner.run``: the main job. Read this first.

A campaign is a folder. This file turns the command line into one (or finds it again), connects to Ray, lets
``search.py`` work, and says at the end what was found, where it is and how to go on. Exit codes: 0 done, 1 done but
trials crashed, 2 bad input; 130 interrupted by Ctrl-C, 143 by SIGTERM, 129 by the end of its terminal (SIGHUP).
"""

from __future__ import annotations

from terminal import program
from terminal.counted import counted

if __name__ == "__main__":
    program.begin("python -m tuner.run")

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import results.find
from results.campaign import require
from results.confirmation import DEFAULT, Design
from results.store import CAMPAIGN, Store, campaigns, check_campaign
from search_spaces import constraints
from search_spaces import load as load_space
from storage import files, inside
from storage.location import Location, Url
from terminal.command_line import complain
from terminal.console import Console
from terminal.duration import duration
from trainable.config import TrainConfig
from trainable.data import Dataset, check_source, known_vocab_size, prepare
from trainable.ray_trainable import STOP_FILE
from tuner import (
    beginning,
    catalogue,
    cluster,
    devices,
    kept,
    nodes,
    option_groups,
    options,
    plan,
    provenance,
    resumed,
    show,
    warm_start,
)
from tuner.again import PROGRAM
from tuner.audit import INERT, audit_fixed, audit_space, proxy_base
from tuner.audit_recorded import inert_of_row
from tuner.audit_report import print_findings
from tuner.conclusion import BAD_INPUT, DONE, conclude
from tuner.describe import describe, print_cost
from tuner.display import Display
from tuner.driver import (
    FAILED,
    EndedEarlyError,
    going_on_with,
    interruptible,
    only_driver,
    storage_failure,
)
from tuner.journal import JOURNAL_LOCK
from tuner.lost import RayDiedError
from tuner.planned_data import look_at_data
from tuner.question import (
    Question,
    ask,
    ask_replay,
    asking,
    check_answerable,
    check_measurable,
    with_datasets,
)
from tuner.record import asked_of, record_of
from tuner.replay import AS_RUN, Replay
from tuner.reuse import Library
from tuner.search import Search, Settings
from tuner.trial_files import TrialFiles

REPLAY_REPORTS = 4  # evaluations on the way of a replayed trial: its curve
NEEDED = ("space", "scale", "objective", "overrides", "base", "trials", "seed", "data", "stopper", "fidelity")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    try:
        with program.raising(PROGRAM):
            return run(options.parse(arguments))
    except ValueError as error:
        complain(PROGRAM, error)
        return BAD_INPUT
    except OSError as error:
        complain(PROGRAM, storage_failure(error))
        return FAILED
    except EndedEarlyError as ended:
        complain(PROGRAM, str(ended))
        return ended.code
    except KeyboardInterrupt as ended:  # before there is a campaign
        complain(PROGRAM, program.INTERRUPTION)
        return program.exit_code(ended)


def run(given: argparse.Namespace) -> int:
    """Do what the command line asks for; a campaign does not end where only its screen fails."""
    options.find_campaigns(given)
    console = Console(goes_on=not (given.list or given.show is not None or given.dry_run))
    if given.list:
        catalogue.show(console, given.space, given.results)
        return DONE
    if given.show is not None:
        show.show(console, load_space(given.space), given.show, given.reading, given.scale, given.overrides)
        return DONE
    return begin(console, given) if given.resume is None else resume(console, given)


def begin(console: Console, given: argparse.Namespace) -> int:
    """A new campaign."""
    here = cluster.find(given)
    space = load_space(given.space)
    has_gpu = here.has_gpu or given.device is not None  # of a plan for other hardware
    scale = given.scale or ("full" if has_gpu else "proxy")
    if given.replay is not None:
        wanted = Replay(tuple(given.replay), given.reading or AS_RUN, given.seeds or 1)
        question = ask_replay(space, scale, given.overrides, wanted, given.seed)
    else:
        asked = asking(space, given.objective, given.constraint, given.likely)
        question = ask(asked, scale, given.overrides, given.trials, given.seed)
    settle(given, question)
    kind = scale if question.replay is None else f"replay-{scale}"
    usual_name = f"{space.name}-{kind}-{time.strftime('%Y%m%d-%H%M%S')}"
    files.check_usable(given.results)
    beginning.check_free(given.results, given.name, asked_of(question, given))
    check_measurable(question.space, has_gpu)
    lacking = check_source(question.base.data, plan.tokens_of(question.base), download_now=not given.dry_run)
    constraints.check(question.space.constraints, question.base, known_vocab_size(question.base.data))
    if given.address is None and given.slots is None:
        here = cluster.fitted(here, question.base, given.concurrent)
    describe(console, question, here, given.confirm or None, given.slots)
    if lacking:
        console.print(f"data: {lacking}")
    if given.audit:
        try:
            question = audited(console, question)
        except ValueError as error:  # a budget in seconds: nobody knows its steps
            console.print(f"audit: not done: {error}")
    if given.dry_run:
        opened = look_at_data(console, question)
        if given.warm_start is not None:  # of data that are not prepared yet a folder's points count as from elsewhere
            data = "" if opened is None else opened.fingerprint
            prior = warm_start.load(given.warm_start, question.space, question.base, scale, data, question.overrides)
            console.print(f"warm start: {prior.about()}")
        open_library(console, given.reuse, given.fidelity)
        print_cost(console, question, here, given)
        return DONE
    dataset = read(console, question.base)
    check_answerable(question.space, question.base, dataset)
    question = with_datasets(question, dataset)
    check_nodes(console, question, given.results, dataset, given)
    if given.warm_start is not None:
        found = warm_start.load(
            given.warm_start, question.space, question.base, scale, dataset.fingerprint, question.overrides
        )
        question = replace(question, prior=found)
        console.print(f"warm start: {found.about()}")
    library = open_library(console, given.reuse, given.fidelity)
    here = on_ray(console, here, given.address)
    record, knobs = record_of(question, dataset, given), question.space.column_types()
    with beginning.folder_for(given.results, given.name, usual_name) as folder:
        store = beginning.create(folder, record, knobs)
        with going_on_with(folder):
            return search(console, question, store, dataset, here, given, library)


def open_library(console: Console, folders: Sequence[Location] | None, fidelity: str) -> Library | None:
    """The finished trials of earlier campaigns, if any are to be reused."""
    if not folders:
        return None
    library = Library(folders, fidelity)
    console.print(f"reuse: {counted(len(library), 'finished trial')} of {', '.join(str(folder) for folder in folders)}")
    return library


def resume(console: Console, given: argparse.Namespace) -> int:
    """Go on with a campaign: the same question, what is left of the budget."""
    files.check_usable(given.results)
    folder = latest(given.results) if given.resume == option_groups.LATEST else find(given.results, given.resume)
    with going_on_with(folder):
        return resume_in(console, folder, given)


def resume_in(console: Console, folder: Location, given: argparse.Namespace) -> int:
    """Go on with the campaign in ``folder``."""
    inside.check_plain(folder, but=[JOURNAL_LOCK])
    store = Store.open(folder, on_corrupt=lambda path, why: console.print(f"set aside as {path.name}: {why}"))
    was = store.campaign
    require(folder / CAMPAIGN, was, NEEDED)
    if given.space not in (None, was["space"]):
        raise ValueError(f"campaign {folder.name!r} searches {was['space']!r}, not {given.space!r}")
    question, reused = resumed.question_of(folder, was, given), resumed.reused_by(folder, was, given)
    kept.check(folder / CAMPAIGN, was, question)
    here = cluster.find(given)
    given.stopper, given.fidelity, given.reports = was["stopper"], was["fidelity"], int(was.get("reports", 0))
    if given.confirm is None and was.get("confirm"):
        given.confirm = Design.parse(was["confirm"])
    given.ablate = was.get("ablate", False) if given.ablate is None else given.ablate
    check_confirmation(question, given)
    if given.address is None and given.slots is None:
        here = cluster.fitted(here, question.base, given.concurrent)
    describe(console, question, here, given.confirm or None, given.slots)
    if given.dry_run:
        resumed.check_same_data(folder, was, look_at_data(console, question))
        print_cost(console, question, here, given)
        return DONE
    dataset = read(console, question.base)
    resumed.check_same_data(folder, was, dataset)
    question = with_datasets(replace(question, inert=was.get("inert")), dataset)
    check_nodes(console, question, folder.parent, dataset, given)
    if was.get("prior"):
        question = replace(question, prior=warm_start.of_json(was["prior"]))
    library = open_library(console, reused, given.fidelity)
    with only_driver(folder):
        store.revise(resumed.changes(was, question, reused))
        store.remove_half_written()
        TrialFiles(folder).remove_half_written()
        return search(console, question, store, dataset, here, given, library)


def audited(console: Console, question: Question) -> Question:
    """The question with what changes nothing in it named and noted."""
    started, space = time.monotonic(), load_space(question.space.name)
    if question.overrides:
        fixed = audit_fixed(space, question.overrides, question.space.column_types())
        print_findings(console, fixed, time.monotonic() - started, "setting")
        started = time.monotonic()
    if question.replay is None:
        findings = audit_space(question.space, proxy_base(space, question.overrides))
        print_findings(console, findings, time.monotonic() - started)
        return replace(question, inert=[f.path for f in findings if f.status == INERT])
    inert = {p.recorded_id: inert_of_row(space, p.recorded_id, p.reading) for p in question.planned}
    named = "; ".join(f"{name} ({', '.join(paths)})" for name, paths in inert.items() if paths)
    count = f"{sum(map(bool, inert.values()))} of {counted(len(inert), 'training')} with overrides that change nothing"
    console.print(f"audit: {count}{': ' if named else ''}{named} ({time.monotonic() - started:.0f} s)")
    return replace(question, inert=inert)


def settle(given: argparse.Namespace, question: Question) -> None:
    """The defaults that a replay and a search do not share."""
    if given.stopper is None:
        given.stopper = "asha" if question.replay is None and question.space.second_objective is None else "none"
    if given.fidelity is None:
        # benchmarks.fidelity_choice, 16 random golf proxies: rank correlation with the end at a quarter and a half of
        # the budget +.80 +.94 truncate, +.77 +.96 complete (paid with a quarter of a run), +.81 +.95 branch (a tenth).
        given.fidelity = "truncate"
    if given.reports is None:
        given.reports = 0 if question.replay is None else REPLAY_REPORTS
    if given.confirm is None:
        given.confirm = DEFAULT if question.replay is None and question.space.second_objective is None else False
    check_confirmation(question, given)


def check_confirmation(question: Question, given: argparse.Namespace) -> None:
    """A ValueError where there is nothing to confirm, or nothing confirmed to take apart."""
    if given.confirm and (question.replay is not None or question.space.second_objective is not None):
        raise ValueError(f"--confirm {given.confirm} is for a search for one objective: this campaign is none")
    if given.ablate and not given.confirm:
        raise ValueError(f"--ablate takes a confirmed winner apart: give --confirm too, for example {DEFAULT}")


def read(console: Console, base: TrainConfig) -> Dataset:
    """The data, prepared on this machine if they are not yet."""
    tokens, source = plan.tokens_of(base), base.data.source
    try:
        dataset = prepare(base.data, train_tokens_needed=tokens, say=lambda line: console.print(f"data: {line}"))
    except OSError as error:
        raise ValueError(f"data.source {source!r} cannot be prepared: {error}") from None
    console.print(f"data: {dataset.description}")
    return dataset


def check_nodes(
    console: Console, question: Question, results: Location, dataset: Dataset, given: argparse.Namespace
) -> None:
    """Of a joined cluster: every node sees the results' folder and has the data; seconds are not mixed."""
    if given.address is None:
        return
    base, found = question.base, nodes.alive()
    seen = nodes.check(found, results, base.data, dataset.fingerprint, plan.tokens_of(base), nodes.ask_each)
    working = {node.id: seen[node.id] for node in found if node.gpus or node.cores}
    if not given.mixed_devices:
        devices.check_alike(working, devices.by_the_clock(base, question.space))
    kinds = ", ".join(f"{count} x {kind}" for kind, count in Counter(working.values()).items())
    seeing = f"{counted(len(found), 'node')} {'sees' if len(found) == 1 else 'see'}"
    console.print(f"cluster: {seeing} {results}; trials run on {kinds or 'nodes to come'}")


def search(
    console: Console,
    question: Question,
    store: Store,
    dataset: Dataset,
    here: cluster.Cluster,
    given: argparse.Namespace,
    library: Library | None = None,
) -> int:
    """Run a campaign that this process holds until its budget, its hours or the user end it."""
    settings = Settings(
        trials=question.trials,
        slots=here.slots,
        seed=question.seed,
        stopper=given.stopper,
        fidelity=given.fidelity,
        reports=given.reports,
        hours=given.hours,
        compile=given.compile,
        mixed_devices=given.mixed_devices,
        confirm=given.confirm or None,
        ablate=bool(given.ablate),
        fresh_seed=store.campaign.get("fresh_seed"),
        stall_seconds=60 * given.stall_minutes,
    )
    inside.remove(store.folder, STOP_FILE)
    campaign = Search(
        question.space,
        question.base,
        store,
        dataset.fingerprint,
        settings,
        provenance.code_version(),
        planned=question.planned if question.replay else None,
        vocab_size=dataset.vocab_size,
        prior=question.prior,
        library=library,
    )
    if question.replay is None:
        campaign.ledger.inert = question.inert
    if campaign.exhausted:
        console.print(f"nothing left to do: all of {counted(question.trials, 'trial')} ended (--trials asks for more)")
    else:
        console.print(f"campaign: {store.folder}")
        run_on_ray(console, campaign, here, given.address)
    return conclude(console, campaign)


def on_ray(console: Console, here: cluster.Cluster, address: str | None) -> cluster.Cluster:
    """Start Ray and see that it can run a trial, unless it runs already or a cluster has been joined."""
    import ray

    if ray.is_initialized():
        return here
    console.print("starting Ray ...")
    with program.deferring(PROGRAM):
        found = cluster.connect(address, here.slots, here.placement)
    cluster.try_out(found)
    return found


def run_on_ray(console: Console, campaign: Search, here: cluster.Cluster, address: str | None) -> None:
    """Start Ray (unless it runs already), show the display, and fit."""
    from tuner.ray_shell import fit

    here = on_ray(console, here, address)
    program.check()
    started = time.monotonic()
    try:
        with interruptible(campaign), Display(campaign, console):
            fit(campaign, here.resources)
    except RayDiedError:
        cluster.abandon()
        raise
    seconds = time.monotonic() - started
    cluster.disconnect()
    share = campaign.trained_seconds / (seconds * here.slots)
    console.print(f"searched for {duration(seconds)}; trials trained for {share:.0%} of the time of {here.about}")


def find(runs: Location, name: str) -> Location:
    """The campaign called ``name`` below ``runs``, or at the path or URL ``name``; its store can be used."""
    folder = results.find.find(name, runs)
    if isinstance(folder, Url):
        files.check_usable(folder.parent)
    check_campaign(folder)
    return folder


def latest(runs: Location) -> Location:
    """The campaign that was started last."""
    found = sorted(campaigns(runs), key=lambda folder: files.modified(folder / CAMPAIGN))
    if not found:
        raise ValueError(f"there is no campaign in {runs} to resume")
    return found[-1]


if __name__ == "__main__":
    sys.exit(main())
