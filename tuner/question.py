"""Question of a campaign, resolved from names and values to configs before anything is spent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from results.design import DEFAULT
from search_spaces import constraints, objectives, recorded
from search_spaces.effects import reference, replay_record
from search_spaces.likely import with_likely
from search_spaces.space import Space
from search_spaces.width import with_moved
from terminal.counted import counted
from terminal.once import refuse_twice
from terminal.type_words import as_set
from trainable import monitors
from trainable.config import TrainConfig
from trainable.data.dataset import Dataset
from trainable.data.preparation import prepare
from trainable.evaluation.enough import check_enough
from trainable.own.source import Source
from trainable.runtime import FP32, PRECISIONS
from tuner import early_stopping, search_methods
from tuner.campaign.carried import Carried
from tuner.campaign.planned import Planned
from tuner.plan import cost as plan
from tuner.plan.larger_scales import larger_scales
from tuner.proposals import replay_plan
from tuner.proposals.warm_start import Prior
from tuner.spec import AT_NONE, AT_VALIDATION, KEEP_CONFIRMED, KEEP_NONE, CampaignSpec, Replay

PRECISION = "precision"  # the path of the field that a campaign's --precision sets
UNSTOPPED_REPLAY = "a replay trains each run to its end unless --stopper predictive is given too"
REPLAY_REPORTS = 4  # evaluations on the way of a replayed trial: its curve


@dataclass(frozen=True)
class Question:
    """A settled spec with what it stands for: the space without the knobs that were fixed, the base with them set."""

    spec: CampaignSpec
    space: Space
    original: Space  # as it was given, with all its knobs
    base: TrainConfig
    scale: str
    trials: int
    planned: tuple[Planned, ...] = ()  # the trials of a replay
    prior: Prior | None = None  # what the sampler starts from
    sources: tuple[Source, ...] = ()  # of the user's own code, for workers
    note: str = ""  # a line for the plan, on what was settled by the machines
    larger_scales: tuple[str, ...] = ()  # of the space, the largest first: where a winner is still to be tried
    inert: Any = None  # what changes nothing: paths of knobs, in a replay by recorded id; None if nobody asked

    @property
    def overrides(self) -> Mapping[str, Any]:
        return self.spec.overrides

    @property
    def replay(self) -> Replay | None:
        return self.spec.replay

    @property
    def seed(self) -> int:
        return self.base.seed

    @property
    def lost_knobs(self) -> dict[str, list[str]]:
        """Name of each component that was set -> the paths of the space's knobs that it does not have."""
        found: dict[str, list[str]] = {}
        for path, name in self.original.without_place(self.base, self.overrides).items():
            found.setdefault(name, []).append(path)
        return found


def asking(space: Space, objective: str | None, limits: Sequence[str], likely: Sequence[str] = ()) -> Space:
    """The space with the objectives, constraints and expert ranges that a user gives beside its own."""
    first, second = (space.objective, space.second_objective) if objective is None else objectives.parse(objective)
    refuse_twice(limits, after="--constraint")
    found = constraints.parse_all(list(dict.fromkeys([*map(str, space.constraints), *limits])))
    return replace(with_likely(space, likely), objective=first, second_objective=second, constraints=found)


def check_answerable(space: Space, base: TrainConfig, dataset: Dataset | None = None) -> None:
    """Raise a ValueError unless runs of ``base`` give all objectives and are judged by all constraints."""
    if dataset is not None:
        check_enough(dataset, base)
    objectives.check(space.objective, base, dataset)
    if space.second_objective is not None:
        objectives.check_second(space.second_objective, base, dataset)
    constraints.check(space.constraints, base, None if dataset is None else dataset.vocab_size)
    constraints.check_minutes(space.objectives, space.constraints)


def check_measurable(space: Space, has_gpu: bool) -> None:
    """Raise a ValueError where a measure that the space needs is not known on these machines."""
    wanted = (*space.objectives, *(limit.measure for limit in space.constraints))
    if "peak_memory_bytes" in wanted and not has_gpu:
        raise ValueError("peak_memory_bytes is measured on a GPU only, and there is none")


def ask(space: Space, spec: CampaignSpec, has_gpu: bool = False) -> Question:
    """Settle a spec and resolve what it asks of ``space``; a ValueError for every unknown name."""
    if PRECISION in spec.overrides:
        raise ValueError(f"{PRECISION} is no setting of some trials: give --precision {spec.overrides[PRECISION]}")
    scale = ("full" if has_gpu else "proxy") if spec.scale is None else spec.scale
    if spec.carried is not None:
        question = _ask_carried(space, spec, scale, spec.carried)
    elif spec.replay is not None:
        question = _ask_replay(space, spec, scale, spec.replay)
    else:
        question = _ask_search(space, spec, scale)
    _check_confirmation(question.spec)
    check_confirm_scale(space, question.spec)
    return question


def check_asked(space: Space, spec: CampaignSpec) -> None:
    """Raise a ValueError for what is wrong on any machine, with a GPU and without: it need not wait for a cluster."""
    errors = []
    for has_gpu in (False, True):
        try:
            ask(space, spec, has_gpu)
            return
        except ValueError as error:
            errors.append(error)
    raise errors[0]


def _ask_search(space: Space, spec: CampaignSpec, scale: str) -> Question:
    asked, chosen = asking(space, spec.objective, spec.constraints, spec.likely), space.scale(scale)
    base, rest = asked.fixed(chosen.base, _settings(spec))
    for path, value in rest.values_of(base).items():
        if value not in (domain := rest.knob(path).domain):
            where = f"{path} is {as_set(value)} in the base but is searched in {domain}"
            raise ValueError(f"{where}: set it with --set too")
    check_answerable(asked, base)
    one = asked.second_objective is None
    stopper = spec.stopper or (early_stopping.DEFAULT_STOPPER if asked.measured_on_the_way else "none")
    trials = spec.trials or chosen.trials
    settled = replace(
        _settled(spec, asked, scale),
        trials=trials,
        sampler=search_methods.chosen(spec.sampler, len(asked.objectives), trials),
        stopper=stopper,
        promote=promoting(spec.promote, stopper, "" if spec.stopper else _unstopped(asked)),
        reports=spec.reports or 0,
        confirm=(DEFAULT if one else False) if spec.confirm is None else spec.confirm,
        keep=spec.keep or KEEP_CONFIRMED,
    )
    larger = () if spec.carried is not None else larger_scales(space, scale)
    return Question(settled, rest, space, base, scale, trials, larger_scales=larger)


def _ask_replay(space: Space, spec: CampaignSpec, scale: str, wanted: Replay) -> Question:
    """Ask for a replay: there are no knobs, as nothing is sampled."""
    settings, chosen = _settings(spec), replay_plan.choose(space, wanted)
    planned = replay_plan.plan(space, scale, wanted.reading, chosen, settings)
    base = replay_plan.configured(space, reference(recorded.load(space)).id, wanted.reading, scale, settings)
    objectives.check(space.objective, base)
    settled = replace(
        _settled(spec, space, scale),
        trials=len(planned),
        sampler=None,
        stopper=spec.stopper or "none",
        promote=promoting(spec.promote, spec.stopper or "none", "" if spec.stopper else UNSTOPPED_REPLAY),
        reports=REPLAY_REPORTS if spec.reports is None else spec.reports,
        confirm=spec.confirm or False,
        keep=spec.keep or KEEP_NONE,
    )
    return Question(settled, replace(space, knobs=()), space, base, scale, len(planned), tuple(planned))


def _ask_carried(space: Space, spec: CampaignSpec, scale: str, carried: Carried) -> Question:
    """Ask for the best of a search at a larger scale: no sampler, and ranges that hold the values moved there."""
    factors = carried.factors
    knobs = [replace(k, domain=with_moved(k.domain, factors[k.path]), likely=None) if k.path in factors else k
             for k in space.knobs]  # fmt: skip
    reports = REPLAY_REPORTS if spec.reports is None else spec.reports
    settled = replace(spec, trials=1 + len(carried.trials), stopper="none", promote=False, reports=reports)
    found = _ask_search(replace(space, knobs=tuple(knobs)), settled, scale)
    for trial in carried.trials:
        try:
            found.space.config(found.base, trial.values)
        except ValueError as error:
            raise ValueError(f"trial {trial.number} of campaign {carried.campaign!r}, carried over: {error}") from None
    return replace(found, original=space, spec=replace(found.spec, sampler=None))


def _settings(spec: CampaignSpec) -> dict[str, Any]:
    """Collect what is set for the whole campaign, the seed and the precision among it."""
    settings = dict(spec.overrides) | ({"seed": spec.seed} if spec.seed is not None else {})
    if spec.precision in PRECISIONS:
        settings[PRECISION] = None if spec.precision == FP32 else spec.precision
    return settings


def _settled(spec: CampaignSpec, asked: Space, scale: str) -> CampaignSpec:
    limits = tuple(str(limit) for limit in asked.constraints)
    return replace(
        spec,
        scale=scale,
        objective=",".join(asked.objectives),
        constraints=limits,
        monitor=spec.monitor or monitors.ALL_MONITORS,
        checkpoint_every=spec.checkpoint_every or AT_NONE,
    )


def promoting(asked: bool | None, stopper: str, why: str = "") -> bool:
    """Tell whether stopped trials may go on; a ValueError where that is asked for of a rule that cannot tell when.

    ``why`` says why nothing is stopped, where nobody has chosen that.
    """
    if asked and stopper != early_stopping.PREDICTIVE:
        if why:
            raise ValueError(f"--promote lets stopped trials go on, and none is stopped: {why}")
        others = f"lets trials go on that --stopper {early_stopping.PREDICTIVE} has stopped, not --stopper {stopper}"
        raise ValueError(f"--promote {others}")
    return stopper == early_stopping.PREDICTIVE if asked is None else asked


def _unstopped(asked: Space) -> str:
    why = why_not_stopped(asked)
    return f"early stopping {why}" if why else ""


def check_acts(question: Question, spec: CampaignSpec) -> None:
    """Raise a ValueError for an option of a new campaign that would do nothing; ``spec`` is what the user gave."""
    check_stopper(question.space, spec)
    check_checkpoints(question)


def check_stopper(asked: Space, spec: CampaignSpec) -> None:
    """Raise a ValueError where early stopping is asked for, and has nothing on the way to judge by."""
    if spec.stopper in (None, "none") or asked.measured_on_the_way:
        return
    raise ValueError(f"--stopper {spec.stopper} {why_not_stopped(asked)}")


def why_not_stopped(asked: Space) -> str:
    """Say why early stopping has nothing on the way to judge by; empty where it has."""
    if asked.measured_on_the_way:
        return ""
    if asked.second_objective is not None:
        return "judges by one objective: a trial behind in one may be ahead in the other"
    return f"judges by values on the way, and {asked.objective} is known at the end only"


def _check_confirmation(spec: CampaignSpec) -> None:
    """Raise a ValueError where there is nothing to confirm, or nothing confirmed to take apart."""
    if spec.replay is not None or "," in (spec.objective or ""):
        none = "for a search for one objective: this campaign is none"
        if spec.confirm:
            raise ValueError(f"--confirm {spec.confirm} is {none}")
        if spec.ablate:
            raise ValueError(f"--ablate is {none}")
    if spec.ablate and not spec.confirm:
        raise ValueError(f"--ablate takes a confirmed winner apart: give --confirm too, for example {DEFAULT}")


def check_checkpoints(question: Question) -> None:
    """Raise a ValueError where trials end before the first checkpoint that ``--checkpoint-every`` asks for.

    What is carried over from a search to a larger scale has other budgets than what was asked for: nothing is refused.
    """
    spec, steps = question.spec, most_steps(question)
    every = None if spec.carried is not None else spec.checkpoint_every
    if every == AT_VALIDATION and (spec.stopper, spec.fidelity, spec.reports) == ("none", "truncate", 0):
        raise ValueError(
            f"--checkpoint-every {every} would write nothing: no trial is evaluated before its end (--reports N)"
        )
    if not isinstance(every, int) or steps is None or every < steps:
        return
    trials = "the longest trial has" if question.planned else "trials have"
    at_most = f"; at most {steps - 1}" if steps > 1 else ""
    raise ValueError(
        f"--checkpoint-every {every} would write nothing: {trials} {counted(steps, 'step')}, and a checkpoint at the "
        f"last one is of no use{at_most}"
    )


def most_steps(question: Question) -> int | None:
    """The most steps that a trial has by its budget in steps; None where a trial may have more, or nobody knows."""
    if question.planned:
        found = [p.config.budget.steps if isinstance(p.config, TrainConfig) else None for p in question.planned]
        known = [steps for steps in found if steps is not None]
        return max(known) if len(known) == len(found) else None
    searched = any(knob.path in ("budget.steps", "budget") for knob in question.space.knobs)
    return None if searched else question.base.budget.steps


def check_confirm_scale(space: Space, spec: CampaignSpec) -> None:
    """Raise a ValueError unless the scale to carry the best over to is another one, of a search for one objective."""
    wanted = spec.confirm_scale
    if wanted is None:
        if spec.carry is not None:
            raise ValueError(f"--carry {spec.carry} is for --confirm-scale: give the scale to carry them over to too")
        return
    if spec.replay is not None or spec.carried is not None or "," in (spec.objective or ""):
        what = "carries the best of a search for one objective over: this campaign is none"
        raise ValueError(f"--confirm-scale {wanted} {what}")
    space.scale(wanted)
    if wanted == spec.scale:
        others = " or ".join(name for name in space.scales if name != wanted) or "none: the space has no other"
        raise ValueError(f"--confirm-scale {wanted} is the scale of the search itself: give another one, {others}")


def with_datasets(question: Question, dataset: Dataset) -> Question:
    """The question with all that its trials read prepared; recorded runs may differ in their data."""
    datasets = {question.base.data: dataset}
    for planned in question.planned:
        config = planned.config
        if config.data not in datasets:
            datasets[config.data] = prepare(config.data, train_tokens_needed=plan.tokens_of(config))
        try:
            check_enough(datasets[config.data], config)
        except ValueError as error:
            raise ValueError(f"recorded run {planned.recorded_id!r}: {error}") from None
    located = replay_plan.with_data(question.planned, lambda config: datasets[config.data].fingerprint)
    if question.inert is not None:
        located = [replace(p, inert=tuple(question.inert[p.recorded_id])) for p in located]
    return replace(question, planned=tuple(located))


def recorded_side(question: Question) -> dict[str, Any] | None:
    """Return what a replay is compared with, kept with it so that ``results`` needs no space; None for a search."""
    if question.replay is None:
        return None
    settled = {**question.overrides, "seed": question.seed}
    return replay_record(question.original, question.replay.reading, question.scale, settled)
