"""Transfer to the size that counts: after a search its best are trained at a larger scale (``--confirm-scale``).

They become a campaign of their own beside the search's, which it names, and not more rows in the same folder. A
campaign is one question: one base, one set of ranges, one data set, one noise. So nothing that reads the search
(leaderboard, importance, sampler, warm start, reuse) meets a row of another size, and the larger campaign has all that
a campaign has: resume, confirmation on fresh seeds, report, page. Its trials are the base and the best of the search.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from results.store.campaign_folder import Store
from results.store.find import text_of
from results.store.larger import campaigns_at, free_name
from results.store.statuses import CONFIRM
from search_spaces.space import Space
from storage.location import Location
from terminal.console import Console
from terminal.counted import best_of
from terminal.exit_codes import DONE
from tuner import start
from tuner.campaign.carried import Carried, CarriedTrial
from tuner.campaign.endings import nothing_beside_base
from tuner.campaign.row_config import config_of
from tuner.command import Begin, Resume, Start
from tuner.confirm import first_fresh_seed
from tuner.plan.larger import Larger, larger_of
from tuner.question import Question, ask
from tuner.spec import HOW_IT_IS_RUN, CampaignSpec
from tuner.start import Ended

if TYPE_CHECKING:
    from results.store.frames import Results


def begin(console: Console, asked: Begin, space: Space | None = None) -> Ended:
    """A new campaign, and after a search what it asks for at a larger scale."""
    began = time.monotonic()
    return _then_at_larger(console, start.begin(console, asked, space), asked.start, began)


def resume(console: Console, asked: Resume, space: Space | None = None) -> Ended:
    """Go on with a campaign, and after a search with what it asks for at a larger scale."""
    began = time.monotonic()
    return _then_at_larger(console, start.resume(console, asked, space), asked.start, began)


def _then_at_larger(console: Console, ended: Ended, asked: Start, began: float) -> Ended:
    question, folder = ended.question, ended.folder
    if question is None or folder is None or not ended.searched or (larger := larger_of(question)) is None:
        return ended
    hours = None if asked.hours is None else asked.hours - (time.monotonic() - began) / 3600
    if hours is not None and hours <= 0:
        console.print(f"The {asked.hours:g} hours are over: nothing was carried over to scale {larger.scale} yet.")
        return ended
    console.print()
    later = _at_larger(console, question, larger, folder, replace(asked, hours=hours, audit=False))
    return replace(ended, code=later.code or ended.code)


def _at_larger(console: Console, question: Question, larger: Larger, folder: Location, asked: Start) -> Ended:
    """Begin the campaign of the best at the larger scale, or go on with it where it has begun."""
    from results.store.frames import results_of  # with pandas

    results, known = results_of(Store.open(folder)), campaigns_at(folder, larger.scale)
    spec = _spec_of(question, larger, folder, known)
    trials, left_out = _valid(question, spec, list(_best(results, question.space, larger)), larger.carry)
    for trial, why in left_out.items():
        console.print(f"not carried over to scale {larger.scale}: trial {trial}: {why}")
    if not trials:
        none = nothing_beside_base(bool((results.trials["status"] == "completed").any()))
        console.print(f"Nothing to carry over to scale {larger.scale}: {none}.")
        return Ended(DONE, folder)
    assert spec.carried is not None
    spec = replace(spec, carried=replace(spec.carried, base=_base_of(results), trials=trials))
    numbers = [trial.number for trial in trials]
    for store in known:
        if numbers == [trial["number"] for trial in store.campaign["carried"]["trials"]]:
            console.print(f"carrying over to scale {larger.scale}: going on with campaign {store.folder.name}")
            run = {name: getattr(question.spec, name) for name in HOW_IT_IS_RUN}
            changes = {name: value for name, value in run.items() if value is not None}
            wanted = Resume(text_of(store.folder), changes, start=replace(asked, name=None, results=folder.parent))
            return start.resume(console, wanted, question.original)
    name = free_name(folder, larger.scale)
    said = f"{best_of(len(trials), 'trial')} of campaign {folder.name}, as campaign {name}"
    console.print(f"carrying over to scale {larger.scale}: {said}{_moved(larger)}")
    if known:
        spec = replace(spec, reuse=tuple(text_of(store.folder) for store in known))
    wanted_there = Begin(spec, replace(asked, name=name, results=folder.parent))
    return start.begin(console, wanted_there, question.original, question.sources)


def _moved(larger: Larger) -> str:
    moved = "".join(f"; {path} x {factor:.4g} (its rule of width)" for path, factor in larger.factors.items())
    return moved + (f"; as the scale has it: {', '.join(larger.left)}" if larger.left else "")


def _spec_of(question: Question, larger: Larger, folder: Location, known: list[Store]) -> CampaignSpec:
    """The spec of the campaign at the larger scale, whose trials are still to be found."""
    spec, space = question.spec, question.original
    seeds = [int(store.campaign["seed"]) for store in known]  # the same again, so that trials can be reused
    return CampaignSpec(
        space=space.name,
        scale=larger.scale,
        overrides=larger.settings,
        objective=spec.objective,
        constraints=tuple(map(str, space.constraints)),
        seed=seeds[0] if seeds else first_fresh_seed(question.seed, [folder]),
        precision=spec.precision,
        reports=spec.reports or None,
        confirm=spec.confirm,
        carried=Carried(folder.name, question.scale, (), None, larger.factors, larger.left),
        **{name: getattr(spec, name) for name in HOW_IT_IS_RUN},
    )


def _valid(
    question: Question, spec: CampaignSpec, found: list[CarriedTrial], most: int
) -> tuple[tuple[CarriedTrial, ...], dict[int, str]]:
    """The first ``most`` that make different valid runs at the larger scale, and why those before them do not."""
    assert spec.carried is not None
    taken: list[CarriedTrial] = []
    left_out: dict[int, str] = {}
    configs: list[Any] = []
    for trial in found:
        if len(taken) == most:
            break
        try:
            alone = ask(question.original, replace(spec, carried=replace(spec.carried, trials=(trial,))))
        except ValueError as error:
            left_out[trial.number] = str(error).rpartition("carried over: ")[2]
            continue
        config = alone.space.config(alone.base, trial.values)
        if config in (alone.base, *configs):
            left_out[trial.number] = "the same there as the base, or as a better one"
            continue
        configs.append(config)
        taken.append(trial)
    if found and not taken:
        raise ValueError(f"--confirm-scale {spec.scale}: {next(iter(left_out.values()))}")
    return tuple(taken), left_out


def _best(results: Results, space: Space, larger: Larger) -> Iterator[CarriedTrial]:
    """The completed trials of a search with their values at the larger scale: its winner first, then by value."""
    from results.plain_rows import plain_rows
    from results.questions.winner import winner

    won = winner(results)
    confirmed = won["key"][0] if len(won) and bool(won["confirmed"][0]) else None
    rows = [row for row in plain_rows(results.trials) if _counts(row) and not row["is_base"]]
    for row in sorted(rows, key=lambda row: (row["key"] != confirmed, row["value"], row["key"])):
        config = config_of(row)
        assert config is not None, "it has completed"
        values = {
            path: value * larger.factors[path] if path in larger.factors and isinstance(value, int | float) else value
            for path, value in space.values_of(config).items()
        }
        yield replace(_carried(results, row), values=values, confirmed=row["key"] == confirmed)


def _base_of(results: Results) -> CarriedTrial | None:
    from results.plain_rows import plain_rows

    return next((_carried(results, row) for row in plain_rows(results.trials) if _counts(row) and row["is_base"]), None)


def _counts(row: Mapping[str, Any]) -> bool:
    return row["status"] == "completed" and row["value"] is not None


def _carried(results: Results, row: Mapping[str, Any]) -> CarriedTrial:
    later = results.confirmations
    if len(later):
        later = later[(later["stage"] == CONFIRM) & (later["arm"] == row["key"]) & (later["status"] == "completed")]
    fresh = float(later["value"].mean()) if len(later) else None
    return CarriedTrial(int(row["number"]), {}, float(row["value"]), fresh)
