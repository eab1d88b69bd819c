"""What a campaign asks, resolved from names and values to configs before anything is spent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from search_spaces import constraints, objectives, recorded
from search_spaces import load as load_space
from search_spaces.effects import record_of, reference
from search_spaces.likely import with_likely
from search_spaces.space import Space
from trainable.config import TrainConfig
from trainable.data import Dataset, prepare
from trainable.enough import check_enough
from tuner import plan, replay
from tuner.device_memory import check_fits_somewhere
from tuner.replay import Planned, Replay
from tuner.warm_start import Prior


@dataclass(frozen=True)
class Question:
    """What a campaign asks, resolved: the space without the knobs that were fixed, and the base with them set."""

    space: Space
    scale: str
    base: TrainConfig
    overrides: dict[str, Any]
    trials: int
    seed: int
    replay: Replay | None = None
    planned: tuple[Planned, ...] = ()  # the trials of a replay
    prior: Prior | None = None  # what the sampler starts from
    inert: Any = None  # what changes nothing: paths of knobs, in a replay by recorded id; None if nobody asked


def asking(space: Space, objective: str | None, limits: Sequence[str], likely: Sequence[str] = ()) -> Space:
    """The space with the objectives, constraints and expert ranges that a user gives beside its own."""
    first, second = (space.objective, space.second_objective) if objective is None else objectives.parse(objective)
    found = constraints.parse_all(list(dict.fromkeys([*map(str, space.constraints), *limits])))
    return replace(with_likely(space, likely), objective=first, second_objective=second, constraints=found)


def check_answerable(space: Space, base: TrainConfig, dataset: Dataset | None = None) -> None:
    """A ValueError unless runs of ``base`` give all objectives and are judged by all constraints."""
    if dataset is not None:
        check_enough(dataset, base)
    objectives.check(space.objective, base, dataset)
    if space.second_objective is not None:
        objectives.check_second(space.second_objective, base, dataset)
    constraints.check(space.constraints, base, None if dataset is None else dataset.vocab_size)


def check_measurable(space: Space, has_gpu: bool) -> None:
    """A ValueError where a measure that the space needs is not known on these machines."""
    wanted = (*space.objectives, *(limit.measure for limit in space.constraints))
    if "peak_memory_bytes" in wanted and not has_gpu:
        raise ValueError("peak_memory_bytes is measured on a GPU only, and there is none")


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
    check_answerable(space, base)
    check_fits_somewhere(base)
    return Question(rest, scale, base, overrides, trials or chosen.trials, base.seed)


def ask_replay(space: Space, scale: str, overrides: dict[str, Any], wanted: Replay, seed: int | None) -> Question:
    """Resolve what is to be replayed; every unknown name is a ValueError. There are no knobs: nothing is sampled."""
    settled = overrides | ({"seed": seed} if seed is not None else {})
    chosen = replay.choose(space, wanted)
    planned = replay.plan(space, scale, wanted.reading, chosen, settled)
    base = replay.configured(space, reference(recorded.load(space)).id, wanted.reading, scale, settled)
    objectives.check(space.objective, base)
    check_fits_somewhere(base)
    return Question(replace(space, knobs=()), scale, base, overrides, len(planned), base.seed, wanted, tuple(planned))


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
    located = replay.with_data(question.planned, lambda config: datasets[config.data].fingerprint)
    if question.inert is not None:
        located = [replace(p, inert=tuple(question.inert[p.recorded_id])) for p in located]
    return replace(question, planned=tuple(located))


def recorded_side(question: Question) -> dict[str, Any] | None:
    """What a replay is held against, kept with it so that ``results`` needs no space; None of a search."""
    if question.replay is None:
        return None
    settled = question.overrides | {"seed": question.seed}
    return record_of(load_space(question.space.name), question.replay.reading, question.scale, settled)
