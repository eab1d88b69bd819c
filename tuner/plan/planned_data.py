"""The data of a campaign: prepared for its runs, or in a plan read and checked as a run would, nothing written."""

from __future__ import annotations

from terminal.console import Console
from trainable.config import TrainConfig
from trainable.data.dataset import Dataset
from trainable.data.preparation import prepare
from trainable.data.text_size import TextSize
from trainable.evaluation.core_score import asked_in_words, ready
from tuner.plan import cost as plan
from tuner.plan import preflight
from tuner.question import Question, check_answerable


def look_at_data(console: Console, question: Question) -> Dataset | None:
    """The base's data where they are prepared already; a ValueError for data of any trial that a run would refuse."""
    try:
        return _look(console, question)
    except OSError as error:
        raise ValueError(f"data.source {question.base.data.source!r} cannot be read: {error}") from None


def _look(console: Console, question: Question) -> Dataset | None:
    measured: dict[str, TextSize] = {}

    def say(line: str) -> None:
        console.print(f"data: {line}")

    dataset = preflight.look(question.base, plan.tokens_of(question.base), say, measured)
    if dataset is not None:
        say(dataset.description)
        check_answerable(question.space, question.base, dataset)
    seen = {(question.base.data, question.base.evaluation)}
    for planned in question.planned:
        config = planned.config
        if (config.data, config.evaluation) not in seen:
            seen.add((config.data, config.evaluation))
            preflight.look(config, plan.tokens_of(config), lambda line: None, measured)
    return dataset


def read_data(console: Console, base: TrainConfig) -> Dataset:
    """The data, prepared on this machine if they are not yet."""
    tokens, source = plan.tokens_of(base), base.data.source
    try:
        dataset = prepare(base.data, train_tokens_needed=tokens, say=lambda line: console.print(f"data: {line}"))
    except OSError as error:
        raise ValueError(f"data.source {source!r} cannot be prepared: {error}") from None
    console.print(f"data: {dataset.description}")
    if base.evaluation.core is not None:
        console.print(asked_in_words(ready(base.evaluation.core, lambda line: console.print(line))))
    return dataset
