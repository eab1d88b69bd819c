"""The data in a plan: read and checked as a run would, with nothing trained or written."""

from __future__ import annotations

from terminal.console import Console
from trainable.data.dataset import Dataset
from trainable.data.text_size import TextSize
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
