"""The rows of a recorded campaign as trials: which of them, in which reading, on which seeds, in what order."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from search_spaces import recorded
from search_spaces.effects import findings
from search_spaces.recorded import RecordedRun
from search_spaces.space import Space
from terminal.counted import counted
from terminal.listed import comma_separated
from terminal.nearest import closest
from trainable.component_paths import with_values
from trainable.config import TrainConfig
from trainable.seeds import SEEDS
from tuner.campaign.planned import Planned
from tuner.spec import Replay

ALL, BASES = "all", "bases"
MOST_TRAININGS = 20_000  # of a replay, whose configs are all made before it starts


@dataclass(frozen=True)
class Chosen:
    """Rows to replay, and on how many seeds each."""

    seeds: dict[str, int]  # id -> number of seeds
    left_out: tuple[str, ...]  # ids that a pattern matched but whose config was never published


def choose(space: Space, wanted: Replay) -> Chosen:
    """Resolve selections; one that names nothing is a ValueError with the nearest name.

    A selection is a list, divided by commas, of ids (``H1``), patterns (``A*``), phases (``phase 11``), ``bases`` (rows
    that others build on) or ``all``; ``x3`` at its end gives it three seeds. A row chosen twice gets the most of them.
    """
    runs = recorded.load(space)
    found: dict[str, int] = {}
    left_out: list[str] = []
    for selection in wanted.selections:
        text, count = _seeds(selection, wanted.seeds)
        for item in comma_separated(text):
            rows = matching(space, runs, item)
            published = [run for run in rows if run.base is not None]
            left_out += [run.id for run in rows if run.base is None]
            if not published:
                raise ValueError(f"--replay {item!r} cannot be run: its config was never published ({rows[0].note})")
            for run in published:
                found[run.id] = max(count, found.get(run.id, 0))
    if (total := sum(found.values())) > MOST_TRAININGS:
        raise ValueError(f"--replay and --seeds ask for {total:,} trainings, but {MOST_TRAININGS:,} are the most")
    order = [run.id for run in runs if run.id in found]
    return Chosen({name: found[name] for name in order}, tuple(dict.fromkeys(left_out)))


def _seeds(selection: str, default: int) -> tuple[str, int]:
    match = re.fullmatch(r"(.+?)\s+x([0-9]{1,30})", selection.strip())
    if not match:
        return selection, default
    if int(match[2]) < 1:
        raise ValueError(f"--replay {selection!r}: the number of seeds must be at least 1")
    return match[1], int(match[2])


def matching(space: Space, runs: Sequence[RecordedRun], item: str) -> list[RecordedRun]:
    """The rows that one item of a selection names, in the order of the file."""
    ids = [run.id for run in runs]
    if item == ALL:
        return list(runs)
    if item == BASES:
        parents = {run.base for run in runs}
        return [run for run in runs if run.id in parents]
    if item in ids:
        return [run for run in runs if run.id == item]
    if item.startswith("phase "):
        wanted = item.removeprefix("phase ").strip()
        rows = [run for run in runs if wanted in (run.phase, run.phase.split(" ")[0])]
        names = list(dict.fromkeys(run.phase for run in runs))
        close = closest(wanted, names)
        hint = f"did you mean {close!r}?" if close else f"phases are {', '.join(name.split(' ')[0] for name in names)}"
    else:
        rows = [run for run in runs if fnmatch.fnmatchcase(run.id, item)]
        ran = [run.id for run in runs if run.base is not None]
        hint = recorded.nearest_run(item, [*ran, ALL, BASES] if closest(item, [ALL, BASES]) else ran)
    if not rows:
        raise ValueError(f"{space.name} has no recorded run {item!r}: {hint}")
    return rows


def plan(space: Space, scale: str, reading: str, chosen: Chosen, overrides: Mapping[str, Any]) -> list[Planned]:
    """The trainings to do: all rows on the first seed, then those with more on the second, and so on.

    Rows that come to one config are one training: on the same machine they would give the same numbers again. Within a
    seed the rows that the campaign's findings compare come first, so that a long replay can be judged before its end.
    """
    configs = {name: configured(space, name, reading, scale, overrides) for name in chosen.seeds}
    for name, count in chosen.seeds.items():
        if configs[name].seed + count > SEEDS:
            most = SEEDS - count
            raise ValueError(
                f"--seed {configs[name].seed} must be at most {most}: "
                f"{name} takes {counted(count, 'seed')}, up to 2^63-1"
            )
    compared = findings(space.name).compared
    planned: list[Planned] = []
    for index in range(max(chosen.seeds.values())):
        groups: dict[str, Planned] = {}
        for name, count in chosen.seeds.items():
            if index < count:
                config = replace(configs[name], seed=configs[name].seed + index)
                key = config.key(config.data.source)
                ids = (*groups[key].ids, name) if key in groups else (name,)
                groups[key] = Planned(ids, reading, config)
        planned += sorted(groups.values(), key=lambda p: not compared.intersection(p.ids))
    return planned


def with_data(planned: Sequence[Planned], fingerprint: Callable[[TrainConfig], str]) -> list[Planned]:
    """Return the trainings, each with the fingerprint of the data that it reads."""
    return [replace(p, data=fingerprint(p.config)) for p in planned]


def configured(space: Space, name: str, reading: str, scale: str, overrides: Mapping[str, Any]) -> TrainConfig:
    """The config of a recorded row, with what the user fixed for the whole campaign."""
    try:
        config: TrainConfig = with_values(recorded.resolve(space, name, reading, scale), overrides)
    except ValueError as error:
        raise ValueError(f"run {name!r}: {error}") from None
    return config
