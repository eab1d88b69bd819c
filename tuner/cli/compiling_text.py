"""Choice of one start of a campaign, whether its trials are compiled; the next start makes its own."""

from __future__ import annotations

from results.store.campaign_folder import Store
from terminal.console import Console
from tuner.command import Start
from tuner.plan import compiling, ways_of_running
from tuner.question import Question


def chosen_compiling(
    console: Console, question: Question, has_gpu: bool, start: Start, store: Store | None
) -> compiling.Compiling:
    """Choose by the trials in ``store``, if there are any; print why where that was a choice."""
    choice = compiling.of_start(question, has_gpu, start.planning, [] if store is None else store.trials())
    if choice.why:
        console.print(f"compile: {choice.why}")
    if ways := ways_of_running.ways_asked_for(question.spec):
        console.print(f"steps: {ways}")
    return choice
