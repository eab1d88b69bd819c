"""One start of a campaign, from its spec to its end: the path that a new one and a resumed one share.

A campaign is a folder. ``begin`` asks a question anew, ``resume`` takes it from the folder's ``campaign.json``; from
there on both are one: the machines, the plan, the data, Ray, the folder, the search, and what was found.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import search_spaces
from results.named_campaigns import found_by_name
from results.store.campaign_folder import Store
from results.store.campaigns import CAMPAIGN, check_campaign
from results.store.find import latest
from results.store.names import campaign_folder
from results.store.resume_command import RUN_PROGRAM
from results.store.set_aside import say_set_aside
from search_spaces.space import Space
from storage import files, inside
from storage.location import Location, Url, location
from terminal import program
from terminal.console import Console
from terminal.counted import counted
from terminal.exit_codes import DONE
from trainable.data.dataset import Dataset
from trainable.own.source import Source
from trainable.worker.attempt import STOP_FILE
from tuner.audit.of_question import audited
from tuner.campaign import beginning, kept, layout, precision, provenance, resumed, same_device
from tuner.campaign.again import again
from tuner.campaign.driver import going_on_with, interruptible, only_driver
from tuner.campaign.earlier_places import check_campaigns_there, with_places
from tuner.campaign.record import asked_of, campaign_record
from tuner.cli.compiling_text import chosen_compiling
from tuner.cli.option_groups import LATEST
from tuner.cluster import bf16, capacity, gpu_parts
from tuner.cluster.placement import MOST_SHARING, Placement, part_for
from tuner.command import Begin, Resume, Start
from tuner.failures import RayDiedError
from tuner.own import code as own_code
from tuner.plan import cost as plan
from tuner.plan import micro_batch, placing, ways_of_running
from tuner.plan.already_measured import already_measured
from tuner.plan.downloads import check_downloads, check_limits
from tuner.plan.larger import check_larger
from tuner.plan.left import left_of
from tuner.plan.left_in_cache import ending_a_plan
from tuner.plan.planned_data import look_at_data, read_data
from tuner.proposals import warm_start
from tuner.proposals.reuse import Library
from tuner.proposals.warm_start import Prior
from tuner.question import Question, ask, check_acts, check_answerable, check_asked, check_measurable, with_datasets
from tuner.search_methods import use_of_prior
from tuner.spec import CampaignSpec
from tuner.trackers.catalogue import check_installed
from tuner.trackers.logging_to import describe_log, logging_to

if TYPE_CHECKING:
    from tuner.search_loop import Search


@dataclass(frozen=True)
class Ended:
    """The end of a start: the exit code of the command, and the campaign's folder where it has one."""

    code: int
    folder: Location | None = None
    question: Question | None = None
    searched: bool = False  # to the end: nothing of it is left to do


def begin(console: Console, asked: Begin, space: Space | None = None, known: Sequence[Source] = ()) -> Ended:
    """A new campaign; of ``space``, where it is none that its name alone finds, with sources that are loaded."""
    start = asked.start
    check_installed(start.log)
    spec, space, sources = own_code.brought(with_places(asked.spec, start.results), space, known)
    if start.address is not None:
        check_asked(space, spec)
    here = machines(spec, start.address)
    has_gpu = here.has_gpu or (start.planning is not None and start.planning.device is not None)
    question = ask(space, spec, has_gpu)
    check_acts(question, spec)
    ways_of_running.check(spec, has_gpu)
    files.check_usable(start.results)
    check_campaigns_there(spec)
    settled = bf16.precision_of(question, here, start)
    question = replace(ask(space, replace(spec, precision=settled.precision), has_gpu), sources=sources)
    own_code.check_sent(question)
    here, question = here.noting(settled.line), micro_batch.fitted(question, here, start)
    beginning.check_free(start.results, start.name, asked_of(question))
    check_measurable(question.space, has_gpu)
    lacking = check_downloads(console, question, download_now=start.planning is None)
    check_limits(question)
    return go(console, question, here, start, lacking=lacking)


def resume(console: Console, asked: Resume, space: Space | None = None) -> Ended:
    """Go on with a campaign: the same question, what is left of the budget."""
    check_installed(asked.start.log)
    runs = asked.start.results
    files.check_usable(runs)
    folder = latest(runs, "resume") if asked.campaign == LATEST else usable_campaign(runs, asked.campaign)
    with going_on_with(folder):
        layout.check(folder)
        store = Store.open(folder)
        store.refuse_if_compacted()
        if store.campaign.get("own_train") is not None:
            call = f"go on from Python, by the call that began it: {again(folder, own_train=True)}"
            raise ValueError(f"campaign {folder.name!r} trains by a function of your own: {call}")
        spec = with_places(resumed.spec_of(store, asked), runs)
        sources = own_code.of_campaign(store, asked, space)
        question = replace(ask(space or named_space(store, spec.space), spec), sources=sources)
        resumed.check_same_question(store, question)
        resumed.check_asked_anew(asked, question)
        resumed.check_reused(folder, spec)
        kept.check(folder / CAMPAIGN, store.campaign, question)
        here = machines(spec, asked.start.address)
        planning = asked.start.planning
        ways_of_running.check(spec, here.has_gpu or (planning is not None and planning.device is not None))
        here = here.noting(
            precision.kept(store, question.base.number_format, bf16.multiplied(here, asked.start.address)).line
        )
        check_downloads(console, question, download_now=planning is None, begun=True)
        return go(console, replace(question, inert=store.campaign.get("inert")), here, asked.start, store)


def machines(spec: CampaignSpec, address: str | None) -> capacity.Cluster:
    """Return what a campaign is to run on: the cluster at ``address``, which is joined here, or this machine."""
    part = spec.gpu_fraction
    if isinstance(part, str):  # auto: the most that can come of it, until the question is known
        gpu_parts.check_shared(address)
        part = part_for(MOST_SHARING)
    placement = Placement(part, spec.cpus)
    if address is None:
        return capacity.of_this_machine(spec.concurrent, placement)
    from tuner.cluster.connect import connect

    return connect(address, spec.concurrent, placement)


def named_space(store: Store, name: str) -> Space:
    """The space of a campaign by its name; a ValueError for one of the user's own, which no name finds."""
    try:
        return search_spaces.load(name)
    except ValueError as error:
        own = f"a space of your own is given in Python: tuner.load({str(store.folder)!r}, space=SPACE).resume()"
        raise ValueError(f"campaign {store.folder.name!r}: {error}; {own}") from None


def go(
    console: Console,
    question: Question,
    here: capacity.Cluster,
    start: Start,
    store: Store | None = None,
    lacking: str = "",
) -> Ended:
    """The way from a question to its end; ``store`` is of a campaign that has begun, ``lacking`` are data to fetch."""
    from tuner.campaign.notify import notifying

    with console.wrapping(), ending_a_plan(console, start.planning):
        ready = made_ready(console, question, here, start, store, lacking)
    if ready is None:
        return Ended(DONE)
    with notifying(console, start.notify) as notice:
        with held(console, ready.question, ready.dataset, start, store) as (campaign, is_new):
            notice.store = campaign
            ended = run_search(console, ready, campaign, start, is_new)
        notice.code = ended.code
        return ended


@dataclass(frozen=True)
class Ready:
    """All that a campaign needs to begin: nothing is left that could refuse it but its folder."""

    question: Question
    dataset: Dataset
    here: capacity.Cluster
    library: Library | None
    placed: placing.Placed


def made_ready(
    console: Console, question: Question, here: capacity.Cluster, start: Start, store: Store | None, lacking: str
) -> Ready | None:
    """Say what is asked, open the data, audit it, and start Ray for a new campaign; None where it is only a plan."""
    from tuner.cli.larger_text import print_larger  # with torch, which most refusals need not wait for
    from tuner.cli.plan_text import describe, print_cost

    check_larger(question, start.name if store is None else store.folder.name, start.planning is None)
    here, placed = placing.placed(question, here, start, {} if store is None else store.campaign)
    ways_of_running.check_small(placed.of(question).spec)
    describe(console, question, here, start.slots, placed.checkpointing.why)
    named = campaign_folder(start.results, start.name or question.space.name)
    describe_log(console, start.log, named if store is None else store.folder)
    if lacking:
        console.print(f"data: {lacking}")
    if start.planning is not None:
        opened = look_at_data(console, question)
        fingerprint = None if opened is None else opened.fingerprint
        if store is not None:
            resumed.check_same_data(store.folder, store.campaign, opened)
        prior_of(console, question, fingerprint or "", store)
        library = open_library(console, question, fingerprint)
        question = audited(console, question, opened) if store is None and start.audit else question
        compiles = chosen_compiling(console, question, here.has_gpu, start, store)
        pass_tokens = None if opened is None else opened.train.total_tokens
        measured = already_measured(question, store, library, fingerprint)
        left = replace(left_of(placed.of(question), store), measured=measured)
        print_cost(console, left, here, start, compiles, pass_tokens)
        print_larger(console, question, here, start, store)
        return None
    dataset = read_data(console, question.base)
    if store is not None:
        resumed.check_same_data(store.folder, store.campaign, dataset)
    check_answerable(question.space, question.base, dataset)
    question = with_datasets(question, dataset)
    if start.address is not None:
        check_nodes(console, question, start.results if store is None else store.folder.parent, dataset)
    question = replace(question, prior=prior_of(console, question, dataset.fingerprint, store))
    library = open_library(console, question, dataset.fingerprint)
    question = audited(console, question, dataset) if store is None and start.audit else question
    if store is None:
        Store.check(named, campaign_record(question, dataset), question.space.column_types())
        here = on_ray(console, here, start.address)  # all that can fail comes before there is a folder
    return Ready(question, dataset, here, library, placed)


@contextmanager
def held(
    console: Console, question: Question, dataset: Dataset, start: Start, store: Store | None
) -> Iterator[tuple[Store, bool]]:
    """The campaign's store, new or old and which of them, of which this process is the only driver for the block."""
    from tuner.campaign.trial_files import TrialFiles

    if store is not None:
        with only_driver(store.folder):
            store.set_damaged_aside(lambda *moved: say_set_aside(console, store.folder, *moved))
            store.remove_half_written()
            TrialFiles(store.folder).remove_half_written()
            own_code.keep(store.folder, question.sources)  # a start that was killed may not have come to it
            yield store, False
        return
    record, knobs = campaign_record(question, dataset), question.space.column_types()
    kind = question.scale if question.replay is None else f"replay-{question.scale}"
    usual_name = f"{question.space.name}-{kind}-{time.strftime('%Y%m%d-%H%M%S')}"
    with beginning.folder_for(start.results, start.name, usual_name) as folder:
        created = beginning.create(folder, record, knobs)
        own_code.keep(folder, question.sources)
        with going_on_with(folder):
            yield created, True


def prior_of(console: Console, question: Question, data: str, store: Store | None) -> Prior | None:
    """The results that a search starts from: found anew, or as the campaign in ``store`` has kept them."""
    wanted = question.spec.warm_start
    if store is not None:
        points = store.campaign.get("prior")
        found = warm_start.of_json(points) if points else None
    elif wanted:
        found = warm_start.load(wanted, question.space, question.base, question.scale, data, question.overrides)
    else:
        found = None
    if found is not None:
        console.print(f"warm start: {found.about()}; {use_of_prior(question.spec.sampler)}")
    return found


def open_library(console: Console, question: Question, data: str | None) -> Library | None:
    """The finished trials of earlier campaigns, if any are to be reused; ``data`` is the fingerprint of the data."""
    spec = question.spec
    if not spec.reuse:
        return None
    library = Library([location(name) for name in spec.reuse], spec.fidelity)
    said, *others = library.about(question.space, question.base, data)
    for line in (f"{said} of {', '.join(spec.reuse)}", *others):
        console.print(f"reuse: {line}")
    return library


def check_nodes(console: Console, question: Question, results: Location, dataset: Dataset) -> None:
    """Check a joined cluster: every node sees the results' folder and has the data; seconds are not mixed."""
    from tuner.cluster import nodes

    base, found = question.base, nodes.alive()
    seen = nodes.check(found, results, base.data, dataset.fingerprint, plan.tokens_of(base), nodes.ask_each)
    working = {node.id: seen[node.id] for node in found if node.gpus or node.cores}
    if not question.spec.mixed_devices:
        same_device.check_alike(working, same_device.by_the_clock(base, question.space))
    kinds = ", ".join(f"{count} x {kind}" for kind, count in Counter(working.values()).items())
    seeing = f"{counted(len(found), 'node')} {'sees' if len(found) == 1 else 'see'}"
    console.print(f"cluster: {seeing} {results}; trials run on {kinds or 'nodes to come'}")


def run_search(console: Console, ready: Ready, store: Store, start: Start, is_new: bool) -> Ended:
    """Run a campaign that this process holds until its budget, its hours or the user end it."""
    from tuner.cli.foreseen_text import print_expected
    from tuner.cli.summary import conclude
    from tuner.loop.inputs import OneStart, Problem, TrialOrigins
    from tuner.search_loop import SPENT, Search

    question, dataset, here = ready.question, ready.dataset, ready.here
    data = (dataset.fingerprint, dataset.vocab_size)
    compiling = chosen_compiling(console, question, here.has_gpu, start, None if is_new else store)
    settled, begun = ready.placed.of(question), None if is_new else store
    measured = partial(already_measured, question, begun, ready.library, dataset.fingerprint)
    print_expected(console, settled, here, start, compiling, begun, dataset.train.total_tokens, measured)
    spec = replace(settled.spec, compile=compiling.compiles)
    problem = Problem(question.space, question.base, spec, *data, question.sources)
    added = OneStart(
        here.slots,
        question.seed,
        start.hours,
        gpu_share=here.resources.get("gpu", 1.0),
        fresh_seed=store.campaign.get("fresh_seed"),
        code_version=provenance.code_version(),
    )
    planned = question.planned if question.replay else None
    inside.remove(store.folder, STOP_FILE)
    campaign = Search(problem, store, added, TrialOrigins(planned, question.prior, library=ready.library))
    if question.replay is None:
        campaign.ledger.inert = question.inert
    changed = {} if is_new else resumed.changes(store.campaign, question)
    store.revise({**changed, "compiled": compiling.compiles, **ready.placed.to_json()})  # now that nothing refuses it
    with logging_to(console, start.log, campaign) as logging:
        if campaign.exhausted:
            asks_for_more = "(--trials asks for more)"
            console.print(f"nothing left to do: all of {counted(question.trials, 'trial')} ended {asks_for_more}")
            campaign.keep_wanted()  # which may be others than in the start before
        else:
            here = on_ray(console, here, start.address)
            console.print(f"campaign: {store.folder}")
            run_on_ray(console, campaign, here, logging.tick)
        logging.code = conclude(console, campaign)
    return Ended(logging.code, store.folder, question, campaign.stopping in ("", SPENT))


def on_ray(console: Console, here: capacity.Cluster, address: str | None) -> capacity.Cluster:
    """Start Ray and see that it can run a trial, unless it runs already or a cluster has been joined."""
    import ray

    from tuner.cluster import connect

    if ray.is_initialized():
        return here
    console.print("starting Ray ...")
    with program.deferring(RUN_PROGRAM):
        found = connect.connect(address, here.slots, here.placement)
    connect.try_out(found)
    return found


def run_on_ray(console: Console, campaign: Search, here: capacity.Cluster, tick: Callable[[], None]) -> None:
    """Show the display, and fit on the Ray that runs; ``tick`` is called often."""
    from tuner.cli.live_display import Display
    from tuner.cluster import connect
    from tuner.cluster.ray_tune import fit

    program.check()
    display = Display(campaign, console)

    def often() -> None:
        tick()
        display.tick()

    try:
        with interruptible(campaign, console.is_live), display:
            fit(campaign, here.resources, often)
    except RayDiedError:
        connect.abandon()
        raise
    connect.disconnect()


def usable_campaign(runs: Location, name: str) -> Location:
    """The campaign called ``name`` below ``runs``, or at the path or URL ``name``; its store can be used."""
    folder = found_by_name(name, runs)
    if isinstance(folder, Url):
        files.check_usable(folder.parent)
    check_campaign(folder)
    return folder
