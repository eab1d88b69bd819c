"""Downloads that a campaign still needs, asked for before anything else: data, vocabularies, CORE's questions."""

from __future__ import annotations

from terminal.console import Console
from trainable.data.preparation import check_source
from trainable.evaluation.core_score import ready
from tuner.plan import cost as plan
from tuner.question import Question


def check_downloads(console: Console, question: Question, download_now: bool) -> str:
    """Say in a line what of the base's data lacks; a ValueError for what a trial reads and cannot be had.

    With ``download_now`` it is tried; a plan only looks.
    """
    base = question.base
    lacking = check_source(base.data, plan.tokens_of(base), download_now)
    if download_now and base.evaluation.core is not None:
        ready(base.evaluation.core, lambda line: console.print(line))
    seen = {base.data}
    for planned in question.planned:
        config = planned.config
        if config.data in seen:
            continue
        seen.add(config.data)
        try:
            check_source(config.data, plan.tokens_of(config), download_now)
        except ValueError as error:
            raise ValueError(f"recorded run {planned.recorded_id!r}: {error}") from None
    return lacking
