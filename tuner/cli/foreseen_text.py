"""Lines before a search on what it cannot keep by what is expected of it: limits, and hours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from results.store.campaign_folder import Store
from terminal.console import Console
from terminal.duration import about
from tuner.cluster import capacity
from tuner.command import Start
from tuner.plan.already_measured import AsMeasured
from tuner.plan.compiling import Compiling
from tuner.plan.expected_here import DAY_SECONDS, expected, is_asked_for, may_take_a_day
from tuner.plan.foreseen import IS_LEFT, Foreseen, beyond_limits, too_few_hours
from tuner.plan.left import left_of
from tuner.question import Question


def print_unkept(console: Console, question: Question, start: Start, foreseen: Foreseen) -> None:
    """Print for a plan which limits a trial is expected to break, and what the hours that are given cut off."""
    for line in beyond_limits(question.space.constraints, foreseen):
        console.print(line)
    if start.hours is not None:
        usual = f"--hours {start.hours:g}: whatever is not done by then {IS_LEFT}"
        console.print(too_few_hours(start.hours, foreseen) or usual)


def print_expected(
    console: Console,
    question: Question,
    here: capacity.Cluster,
    start: Start,
    compiling: Compiling,
    store: Store | None,
    pass_tokens: int,
    measured: Callable[[], Mapping[str, AsMeasured]],
) -> None:
    """Print the same at one start of a campaign, of what is left of the one in ``store``; nothing where all is well.

    ``measured`` is asked for what trials have measured already, which tells also where nothing is expected here.
    """
    left = replace(left_of(question, store), measured=measured())
    if not left.question.trials:
        return
    asked = is_asked_for(question, start) or (start.address is None and may_take_a_day(question, here.slots))
    foreseen = expected(left, here, start, compiling, pass_tokens) if asked else None
    if foreseen is None:
        foreseen = Foreseen({}, measured=left.measured)
    lines = [over_a_day(foreseen), *beyond_limits(question.space.constraints, foreseen)]
    for line in [*lines, *([] if start.hours is None else [too_few_hours(start.hours, foreseen)])]:
        if line:
            console.print(line)


def over_a_day(foreseen: Foreseen) -> str:
    """Say how long it will take, where that is over a day; else empty: the display has the time left."""
    if foreseen.whole is None or foreseen.whole[1] <= DAY_SECONDS:
        return ""
    return f"time: {about(*foreseen.whole)} in all, by a moment's measurement (--dry-run: the whole plan)"
