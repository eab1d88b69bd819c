"""``tuner.tune``: a campaign whose trials a function of the user's own trains, whatever it trains and with what.

It is searched, stopped early, written down and confirmed as every other one, by the same ``Search``; only what is
asked (a space of names and domains), what trains (worker.py) and what makes two campaigns the same stand here.
Nothing of a trial is kept that has not ended: a resume begins it anew.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ray import tune as ray_tune
from ray.tune import result as ray_result

from results.design import DEFAULT, Design
from results.store import row_types
from results.store.campaign_folder import Store
from results.store.campaigns import CAMPAIGN
from results.store.limits import JSON_TEXT
from results.store.names import campaign_folder
from results.store.set_aside import say_set_aside
from search_spaces.objectives import MEASURED_ON_THE_WAY
from search_spaces.own_train import HANDED_IN, OwnConfig, OwnSpace, own_space
from storage import files, inside
from terminal.console import Console
from terminal.counted import best_of, counted, counted_range
from terminal.named_arguments import naming_the_nearest
from terminal.short import shortened
from trainable import monitors
from trainable.worker.attempt import STOP_FILE
from tuner import early_stopping, search_methods, start
from tuner.campaign import beginning, layout, provenance
from tuner.campaign.again import OWN_TRAIN
from tuner.campaign.driver import going_on_with, only_driver
from tuner.campaign.notify import notifying
from tuner.campaign.record import first_difference, ranges_of
from tuner.campaign.row_config import to_json
from tuner.campaign.trial_files import TrialFiles
from tuner.cli import modes
from tuner.cli.options import command
from tuner.cli.summary import conclude
from tuner.cluster import capacity
from tuner.cluster.placement import AUTO
from tuner.command import Begin, Start
from tuner.confirm import first_fresh_seed
from tuner.loop.inputs import OneStart, Problem
from tuner.own.function import named_function, pickled
from tuner.own.program import CommandLine
from tuner.own.running import Train
from tuner.own.worker import OwnTrainable
from tuner.python.arguments import display_of, naming_arguments, options_given
from tuner.python.campaign import Campaign
from tuner.python.driving import drive
from tuner.search_loop import Search
from tuner.spec import KEEP_NONE, CampaignSpec
from tuner.trackers.catalogue import check_installed
from tuner.trackers.logging_to import describe_log, logging_to

DEFAULT_TRIALS, DEFAULT_SEED, DEFAULT_REPORTS = 24, 1337, 10
SCALE = "own"  # in the rows: there is one size only
_OBJECTIVE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
# Names that mean something else in a row or a result.
_TAKEN = {column.name for column in (*row_types.TRIAL_COLUMNS, *row_types.REPORT_COLUMNS)} - {
    *MEASURED_ON_THE_WAY,
    "train_loss",
}
_ALSO_TAKEN = {"extra", "violation", "perf", "curve"}
_RAYS = {  # what Ray puts into every result, or reads there
    *ray_result.AUTO_RESULT_KEYS, *ray_result.DEBUG_METRICS, *ray_result.DEFAULT_EXPERIMENT_INFO_KEYS,
    ray_result.DONE, ray_result.SHOULD_CHECKPOINT, ray_result.TRIAL_INFO, ray_result.RESULT_DUPLICATE,
    ray_result.TIMESTEPS_THIS_ITER, ray_result.EPISODES_THIS_ITER, ray_result.DEFAULT_METRIC,
    ray_result.STDOUT_FILE, ray_result.STDERR_FILE,
}  # fmt: skip


@dataclass(frozen=True)
class OwnQuestion:
    """Question about a function of the user's own: the function, its space with a base, and the campaign's spec."""

    train: Train
    name: str
    source: str
    fingerprint: str  # of the function
    maximise: bool
    space: OwnSpace
    base: OwnConfig
    spec: CampaignSpec  # settled

    def record(self) -> dict[str, Any]:
        """Make the content of ``campaign.json`` for this question."""
        of_function = {"name": self.name, "fingerprint": self.fingerprint, "source": self.source}
        domains = {knob.path: repr(knob.domain) for knob in self.space.knobs}
        return {
            **self.spec.to_json(),
            "base": to_json(self.base),
            "data": self.fingerprint,
            "own_train": {**of_function, "maximise": self.maximise, "domains": domains},
            "ranges": ranges_of(self.space.knobs),
        }


@naming_the_nearest
def tune(
    train: Train,
    space: Mapping[str, Any],
    *,
    base: Mapping[str, Any],
    steps: int,
    objective: str = "loss",
    maximise: bool = False,
    display: bool = True,
    trials: int | None = None,
    hours: float | None = None,
    name: str | None = None,
    results: Any = None,
    seed: int | None = None,
    sampler: str | None = None,
    stopper: str | None = None,
    reports: int | None = None,
    confirm: Any = None,
    ablate: bool | None = None,
    concurrent: int | None = None,
    cpus: int | None = None,
    gpu_fraction: float | None = None,
    address: str | None = None,
    notify: str | None = None,
    log: Any = None,
) -> Campaign:
    """Search for the config with which ``train(config, report)`` comes to the lowest (``maximise``: highest) value.

    ``config`` is a dict: a value for each name of ``space``, ``seed`` and ``steps``. ``train`` calls
    ``report(step, value)`` on its way, which may stop it, and returns the final value (or reports it at the last step).
    ``space`` is name -> domain: ``"0.001..0.1 log"``, ``"2..8"``, ``"relu|gelu"``, a list, or a domain of
    search_spaces; ``base`` has the value of each that all others are measured against.

    The other arguments are those of :func:`tuner.search`. Called again with the ``name`` of a campaign that asks the
    same, it goes on with it. A ValueError for bad input; an interruption is raised as KeyboardInterrupt.
    """
    asked = {
        "trials": trials, "hours": hours, "name": name, "results": results, "seed": seed, "sampler": sampler,
        "stopper": stopper, "reports": reports, "confirm": confirm, "ablate": ablate, "concurrent": concurrent,
        "cpus": cpus, "gpu_fraction": gpu_fraction, "address": address, "notify": notify, "log": log,
    }  # fmt: skip
    with naming_arguments():
        own, source = named_function(train)
        display_of(display)
        wanted = command({"space": own, **options_given(modes.NEW_SEARCH, "tune", asked)})
        assert isinstance(wanted, Begin)
        store = kept(wanted.start)
        spec = settled(wanted.spec, _objective(objective, maximise), {} if store is None else store.campaign)
        assert spec.seed is not None and spec.objective is not None, "it is settled"
        found, config = own_space(own, space, base, steps, spec.seed, spec.objective)
        if isinstance(train, CommandLine):
            train.check((*found.column_types(), *HANDED_IN), is_here=address is None)
        mark = hashlib.sha256(f"{own}\n{source}".encode()).hexdigest()[:16]
        question = OwnQuestion(train, own, source[:JSON_TEXT], mark, maximise, found, config, spec)
        ended = drive(lambda console: go(console, question, wanted.start, store), display)
        assert ended.folder is not None, "it is no plan"
        return Campaign(ended.folder, found)


def _objective(name: Any, maximise: Any) -> str:
    """The objective as rows name it: all that is kept is minimised, so that one to maximise is kept negated."""
    if not isinstance(name, str) or _OBJECTIVE.fullmatch(name) is None:
        raise ValueError(f"objective is {shortened(name)} but must be a name of letters, digits and '_', at most 100")
    if name in _TAKEN | _ALSO_TAKEN | _RAYS:
        raise ValueError(f"objective is {name!r}, which is a column of the results: choose another name")
    if not isinstance(maximise, bool):
        raise ValueError(f"maximise is {shortened(maximise)} but must be True or False")
    return f"-{name}" if maximise else name


def settled(spec: CampaignSpec, objective: str, was: Mapping[str, Any]) -> CampaignSpec:
    """The spec with everything that was left open: as the campaign has it that goes on (``was``), else as usual."""
    trials = spec.trials or was.get("trials", DEFAULT_TRIALS)
    confirm = spec.confirm
    if confirm is None and "confirm" in was:
        confirm = Design.parse(was["confirm"]) if was["confirm"] else False
    elif confirm is None:
        confirm = DEFAULT if trials > 1 else False
    if spec.gpu_fraction == AUTO:
        raise ValueError(f"gpu_fraction is {AUTO!r} but must be a number: what a function of yours takes is not known")
    if spec.ablate and not confirm:
        raise ValueError(f"ablate takes a confirmed winner apart: give confirm too, for example {str(DEFAULT)!r}")
    return replace(
        spec,
        scale=SCALE,
        objective=objective,
        trials=trials,
        seed=was.get("seed", DEFAULT_SEED) if spec.seed is None else spec.seed,
        sampler=search_methods.chosen(_method(spec, was), 1, trials),
        stopper=spec.stopper or was.get("stopper", early_stopping.DEFAULT_STOPPER),
        reports=was.get("reports", DEFAULT_REPORTS) if spec.reports is None else spec.reports,
        confirm=confirm,
        promote=False,  # such a function leaves no checkpoints of ours to go on from
        keep=KEEP_NONE,  # what such a function trains is its own to keep, and to look at
        monitor=monitors.NO_MONITORS,
    )


def _method(spec: CampaignSpec, was: Mapping[str, Any]) -> str | None:
    """The method that is asked for; a campaign that goes on keeps the one that it chose."""
    if was and spec.sampler in (None, search_methods.BY_ITSELF):
        return str(was.get("sampler", search_methods.TPE_UNIFORM))
    return spec.sampler


# --- the campaign -----------------------------------------------------------------------------------------------------


def go(console: Console, question: OwnQuestion, asked: Start, store: Store | None) -> start.Ended:
    """Begin the campaign, or go on with the one in ``store``, and run it to its end."""
    check_installed(asked.log)
    sent = pickled(question.train)
    if store is None:
        beginning.check_free(asked.results, asked.name, question.record())
    else:
        check_same(store, question)
    here = start.machines(question.spec, asked.address)
    describe_plan(console, question, here)
    named = campaign_folder(asked.results, asked.name or question.name) if store is None else store.folder
    describe_log(console, asked.log, named)
    if store is None:
        Store.check(named, question.record(), question.space.column_types())
        here = start.on_ray(console, here, asked.address)  # all that can fail comes before there is a folder
    with notifying(console, asked.notify) as notice:
        with held(console, question, asked, store) as (campaign, is_new):
            notice.store = campaign
            ended = run(console, question, asked, campaign, here, sent, is_new)
        notice.code = ended.code
        return ended


def kept(asked: Start) -> Store | None:
    """The campaign of that name, which is to be resumed; None where a new one begins."""
    files.check_usable(asked.results)
    if asked.name is None or not files.is_file(campaign_folder(asked.results, asked.name) / CAMPAIGN):
        return None
    store = Store.open(campaign_folder(asked.results, asked.name))
    store.refuse_if_compacted()
    if store.campaign.get("own_train") is None:
        taken = f"campaign {asked.name!r} exists already, and searches {store.campaign.get('space')!r}"
        raise ValueError(f"{taken}, without a train function: choose another name")
    return store


def check_same(store: Store, question: OwnQuestion) -> None:
    """Raise a ValueError where the campaign in ``store`` asks something else."""
    was, now = store.campaign, {**question.record(), "knobs": question.space.column_types()}
    taken = f"campaign {store.folder.name!r} exists already"
    if (why := _change(was["own_train"], now["own_train"])) is not None:
        raise ValueError(f"{taken}, and {why}: choose another name")
    for free in ("trials", "ablate", "confirm"):  # that may change; confirm.py knows of the last one
        del now[free]
    if (why := first_difference(was, now)) is not None:
        raise ValueError(f"{taken}, and asks something else ({why}): choose another name")


def _change(was: Mapping[str, Any], now: Mapping[str, Any]) -> str | None:
    """Name the difference between two questions of own functions, in words; None where there is none."""
    if was["name"] != now["name"]:
        return f"its train function was another ({was['name']} there, {now['name']} here)"
    if was["fingerprint"] != now["fingerprint"]:
        return f"its train function was another (the source of {now['name']}, or a value that it holds, has changed)"
    if was["maximise"] != now["maximise"]:
        return f"asks something else (maximise is {was['maximise']} there and {now['maximise']} here)"
    for name in sorted(was["domains"].keys() | now["domains"].keys()):
        there, here = (of["domains"].get(name, "not there") for of in (was, now))
        if there != here:
            return f"asks something else ({name} is {there} there and {here} here)"
    return None


def describe_plan(console: Console, question: OwnQuestion, here: capacity.Cluster) -> None:
    """The plan in a few lines."""
    spec, space = question.spec, question.space
    console.print(f"train: {question.name} - {space.question}")
    knobs, each = counted(len(space.knobs), "knob"), f"steps {question.base.budget.steps} each"
    console.print(f"plan: {counted(spec.trials or 0, 'trial')} on {here.about}, {each}, {knobs}")
    console.print(search_methods.described(spec.sampler))
    if spec.confirm and (design := spec.confirm.among((spec.trials or 0) - 1)) is not None:
        runs = counted_range(design.fewest_runs, design.most_runs, "run")
        best = f"{best_of(design.candidates)} and the base on {design.first} fresh seeds"
        console.print(f"confirm: after the search {best}: {runs} (confirm=False: none)")
    for note in here.notes:
        console.print(note)


@contextmanager
def held(console: Console, question: OwnQuestion, asked: Start, store: Store | None) -> Iterator[tuple[Store, bool]]:
    """The campaign's store, new or old and which of them, of which this process is the only driver for the block."""
    if store is not None:
        OWN_TRAIN.add(str(store.folder))
        layout.check(store.folder)
        with going_on_with(store.folder), only_driver(store.folder):
            store.set_damaged_aside(partial(say_set_aside, console, store.folder))
            store.remove_half_written()
            TrialFiles(store.folder).remove_half_written()
            yield store, False
        return
    assert question.spec.seed is not None, "it is settled"
    found = {
        "question": question.space.question,
        "fresh_seed": first_fresh_seed(question.spec.seed, []),
        "data_description": f"train function {question.name}",
        "code_version": provenance.code_version(),
        "environment": provenance.environment(),
        "created_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    usual = f"{question.name}-{time.strftime('%Y%m%d-%H%M%S')}"
    with beginning.folder_for(asked.results, asked.name, usual) as folder:
        created = beginning.create(folder, {**question.record(), **found}, question.space.column_types())
        OWN_TRAIN.add(str(folder))
        with going_on_with(folder):
            yield created, True


def run(
    console: Console,
    question: OwnQuestion,
    asked: Start,
    store: Store,
    here: capacity.Cluster,
    sent: bytes,
    is_new: bool,
) -> start.Ended:
    """Run a campaign that this process holds until its budget, its hours or the user end it."""
    assert question.spec.seed is not None and question.spec.objective is not None, "it is settled"
    worker = partial(  # with Ray, which is not there yet
        ray_tune.with_parameters,
        OwnTrainable,
        train=sent,
        maximise=question.maximise,
        objective=question.spec.objective,
    )
    added = OneStart(
        here.slots,
        question.spec.seed,
        asked.hours,
        fresh_seed=store.campaign.get("fresh_seed"),
        code_version=provenance.code_version(),
        worker=worker,
    )
    inside.remove(store.folder, STOP_FILE)
    campaign = Search(Problem(question.space, question.base, question.spec, question.fingerprint), store, added)
    if not is_new:
        store.revise({name: question.spec.to_json()[name] for name in ("trials", "ablate", "confirm")})
    with logging_to(console, asked.log, campaign) as logging:
        if campaign.exhausted:
            ended = f"all of {counted(campaign.trials, 'trial')} ended"
            console.print(f"nothing left to do: {ended} (trials asks for more)")
        else:
            here = start.on_ray(console, here, asked.address)
            console.print(f"campaign: {store.folder}")
            start.run_on_ray(console, campaign, here, logging.tick)
        logging.code = conclude(console, campaign)
    return start.Ended(logging.code, store.folder)
