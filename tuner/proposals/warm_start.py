"""Warm start of a search: results of others, as points of the space with a score.

Scores of one source are comparable with each other only: a recorded campaign has another size and other data. What
they are worth here is found out by the Gaussian process (``model/elsewhere.py``), or by ``prior_sampler.py`` where TPE
proposes. Rates of another width are moved by the rules of width of the space. Nothing is left out silently: each row
not used has a reason.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from results.store.campaign_folder import Store
from results.store.places import RECORDED
from results.store.row_parts import given, identity_of, measure_of
from results.store.row_types import TrialRow
from results.store.statuses import SEARCH
from search_spaces import recorded
from search_spaces.domains import Value
from search_spaces.space import Space
from storage import files
from storage.location import Location, location
from terminal.counted import counted
from terminal.nearest import nearest
from trainable.component import OtherSourceError, without_neutral
from trainable.component_paths import difference, get_value, with_values
from trainable.config import TrainConfig
from tuner.campaign.finished import Finished
from tuner.campaign.row_config import EarlierVersionError, config_of
from tuner.early_stopping import rungs

# Fields that make values of two runs of a config differ.
MEASURED_BY = ("seed", "budget", "horizon", "evaluation", "precision")
NAMED = 3  # knobs of a reason that a line names: the most frequent ones
FIRST = 4  # of the best earlier configs are tried right after the base


@dataclass(frozen=True)
class Point:
    """One earlier result: where it lies in the space, and its score (the objective; lower is better)."""

    source: str  # of comparable scores: "recorded", or the campaign's name
    name: str
    values: Mapping[str, Value]
    score: float
    reference: float | None  # the score of the source's own base, where it has one
    same: bool = False  # the same sizes, data, budget, seed and evaluation: this campaign could have measured the score
    at_rungs: tuple[tuple[float, float], ...] = ()  # where it is the same: rungs, and the objective there


@dataclass(frozen=True)
class Prior:
    """All that a campaign starts from, and why what was found beside it is left out: name -> reason."""

    points: tuple[Point, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)

    def first(self, base_values: Mapping[str, Value]) -> list[dict[str, Value]]:
        """The best configs that beat their source's base, distinct and best first, the sources taking turns."""
        turns: dict[str, list[Point]] = {}
        for point in sorted(self.points, key=lambda p: p.score):
            if point.reference is None or point.score < point.reference:
                turns.setdefault(point.source, []).append(point)
        found: list[dict[str, Value]] = []
        for rank in range(max(map(len, turns.values()), default=0)):
            for points in turns.values():
                values = dict(points[rank].values) if rank < len(points) else None
                if values is not None and values != dict(base_values) and values not in found:
                    found.append(values)
        return found[:FIRST]

    def to_json(self) -> list[dict[str, Any]]:
        """Convert it for ``campaign.json``: a resume starts from the same points, wherever they came from."""
        return [asdict(point) for point in self.points]

    def about(self) -> str:
        """Describe what is used and what is not, in one line."""
        used = ", ".join(f"{n} of {source}" for source, n in Counter(p.source for p in self.points).items())
        if not self.left_out:
            return used or "nothing"
        kinds = Counter(why.partition(":")[0] for why in self.left_out.values())
        said = [f"{n} {kind}{self._knobs_of(kind)}" for kind, n in kinds.most_common()]
        return f"{used or 'nothing'}; left out {len(self.left_out)}: {', '.join(said)}"

    def _knobs_of(self, kind: str) -> str:
        """The knobs of a reason with how often each is it; empty for a reason that has none."""
        knobs = Counter(knob for why in self.left_out.values() if (knob := why.removeprefix(f"{kind}: ")) != why)
        named = [f"{knob} {n}" for knob, n in knobs.most_common(NAMED)]
        rest = sum(knobs.values()) - sum(n for _, n in knobs.most_common(NAMED))
        more = [f"{counted(len(knobs) - NAMED, 'more knob')} {rest}"] if rest else []
        return f" ({'; '.join([*named, *more])})" if named else ""


def of_json(points: Sequence[Mapping[str, Any]]) -> Prior:
    """The prior that :meth:`Prior.to_json` wrote; campaign_json.py and kept.py have checked that it is one."""
    return Prior(tuple(Point(**{**point, **_at_rungs(point)}) for point in points), {})


def _at_rungs(point: Mapping[str, Any]) -> dict[str, Any]:
    """Read what a point had at rungs: JSON has no tuples, and priors of an earlier version have none of it."""
    return {"at_rungs": tuple((rung, value) for rung, value in point.get("at_rungs") or ())}


def load(
    wanted: Sequence[str],
    space: Space,
    base: TrainConfig,
    scale: str,
    data: str,
    overrides: Mapping[str, Any] | None = None,
) -> Prior:
    """The prior from the space's own recorded runs (``recorded``) and from campaigns' folders.

    A ValueError for a folder that is no campaign, and where nothing that was found can be used.
    """
    points: list[Point] = []
    left_out: dict[str, str] = {}
    known: set[tuple[Any, ...]] = set()  # runs: a copy of a campaign, or one that reused them, is no second source
    for name in wanted:
        if name != RECORDED and not files.exists(location(name)):
            raise ValueError(f"--warm-start {name!r} is no campaign's folder: {nearest(name, [RECORDED], 'names')}")
        found = (
            of_recorded(space, base, scale, overrides)
            if name == RECORDED
            else of_folder(location(name), space, base, data, known)
        )
        points += found.points
        left_out |= found.left_out
    if not points:
        about = Prior((), left_out).about()
        raise ValueError(f"--warm-start {' '.join(wanted)}: nothing in it lies in this campaign's space ({about})")
    return Prior(tuple(points), left_out)


def of_recorded(space: Space, base: TrainConfig, scale: str, overrides: Mapping[str, Any] | None = None) -> Prior:
    """The recorded runs as they ran, at this scale; their schedules complete here, as the base's does."""
    runs = [run for run in recorded.load(space) if run.base is not None]
    scores = {run.id: score for run in runs if (score := run.score(space.objective)) is not None}
    scored = [run for run in runs if run.id in scores]
    points: list[Point] = []
    left_out = {run.id: f"without a recorded {space.objective}" for run in runs if run not in scored}
    reference = next((scores[run.id] for run in scored if run.base == recorded.ROOT), None)
    for run in scored:
        try:
            config = _settled(
                recorded.resolve(space, run.id, "as_run", scale), space.scale(scale).base, overrides or {}
            )
        except ValueError:
            left_out[run.id] = "no valid run here"
            continue
        values, why = project(space, base, config)
        if why:
            left_out[run.id] = why
        else:
            points.append(Point(RECORDED, run.id, values, scores[run.id], reference))
    return Prior(tuple(points), left_out)


def _settled(config: TrainConfig, base: TrainConfig, overrides: Mapping[str, Any]) -> TrainConfig:
    """A recorded config with what is fixed for the whole campaign, but for what the run itself changed."""
    changed = difference(base, config)
    settled: TrainConfig = with_values(config, {path: v for path, v in overrides.items() if path not in changed})
    return settled


def of_folder(
    folder: Location, space: Space, base: TrainConfig, data: str, known: set[tuple[Any, ...]] | None = None
) -> Prior:
    """The completed trials of an earlier search. With the same data and sizes, their values count as they are.

    Its confirmation is left out: what chose the candidates here must not have seen the seeds that judge them. So are
    the ``known`` runs, to which its own are added.
    """
    known = set() if known is None else known
    store = Store.open(folder)
    rows = sorted(store.trials(), key=lambda row: int(row["number"]))
    usable = [row for row in rows if row["is_base"] and not _unusable(row, space.objective)]
    bases = [value for row in usable if (value := measure_of(row, space.objective)) is not None]
    reference = sum(bases) / len(bases) if bases else None
    by_itself = store.campaign.get("fidelity", "truncate") == "truncate"  # else values on the way are of other runs
    reports, judged_at = store.reports_by_key() if by_itself else {}, rungs(base.budget)
    points: list[Point] = []
    left_out: dict[str, str] = {}
    for row in rows:
        name, why = f"{folder.name}:{row['number']}", _unusable(row, space.objective)
        config, other = _config_or_why(row)
        if config is not None and not why:
            values, why = project(space, base, as_wide_as(space, base, config), fixed=False)
        if config is None or why:
            left_out[name] = why or other
            continue
        if (run := identity_of(row)) is not None:
            if run in known:
                left_out[name] = "of an earlier one of these campaigns"
                continue
            known.add(run)
        same = row["data"] == data and not project(space, base, config)[1]
        same = same and all(getattr(config, name) == getattr(base, name) for name in MEASURED_BY)
        score = given(measure_of(row, space.objective))
        there = Finished("", row, reports.get(row["key"], ()), None).milestones(space.objective) if same else {}
        at_rungs = tuple((rung, there[rung]) for rung in judged_at if rung in there)
        points.append(Point(folder.name, name, values, score, reference, same, at_rungs))
    return Prior(tuple(points), left_out)


def _config_or_why(row: TrialRow) -> tuple[TrainConfig | None, str]:
    """The config of a row, or why it is none here: its code is the user's own and another, or of an earlier version."""
    try:
        return config_of(row), ""
    except OtherSourceError:
        return None, "with code of its own that is not given here"
    except EarlierVersionError as error:
        return None, f"trained by an earlier version, which had no {error.field}"


def _unusable(row: TrialRow, objective: str) -> str:
    """Say why a campaign's row cannot be a point to start from; empty where it can."""
    if (row["stage"] or SEARCH) != SEARCH:
        return "of its confirmation"
    if row["status"] != "completed":
        return str(row["status"])
    value = measure_of(row, objective)
    return "" if value is not None and math.isfinite(value) else f"without {objective}"


def as_wide_as(space: Space, base: TrainConfig, config: TrainConfig) -> TrainConfig:
    """An earlier config with its searched rates as the width of ``base`` has them, by the space's rules of width.

    Where the width is searched itself, a rate is a value beside it, and stays.
    """
    rules, paths = space.width_rules, [knob.path for knob in space.knobs]
    if not rules.exponents or rules.width in paths or type(config.model) is not type(base.model):
        return config
    searched = {path: factor for path, factor in rules.factors(config, base).items() if path in paths}
    found: TrainConfig = with_values(config, {path: get_value(config, path) * by for path, by in searched.items()})
    return found


def project(space: Space, base: TrainConfig, config: TrainConfig, fixed: bool = True) -> tuple[dict[str, Value], str]:
    """A config as values of the space's knobs, and why it has no place there ("" where it has).

    What a campaign's values are measured by (MEASURED_BY) is its own. With ``fixed``, all else that is no knob must be
    as in the base; without, it may differ: an earlier campaign of another size.
    """
    try:
        values = space.values_of(config)
    except ValueError:
        return {}, "of another kind of model or optimizer"
    for path, value in values.items():
        if value not in space.knob(path).domain:
            return values, f"outside the range of a knob: {path}"
    try:
        back = space.config(base, values)
    except ValueError:
        return values, "no valid run here"
    if not fixed:
        return values, ""
    same = replace(config, **{name: getattr(base, name) for name in MEASURED_BY})
    changed = sorted(difference(without_neutral(back), without_neutral(same)), key=lambda path: ("." not in path, path))
    return values, f"changing what is not searched: {changed[0]}" if changed else ""
