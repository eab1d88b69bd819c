"""Lines that lead a reader of a report on: which knobs matter, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from terminal.counted import counted

from results.questions.framed import objectives_of
from results.questions.importance import LEAST_SHARE, LEVEL, SHARE_INTERVAL, importance
from results.questions.next_steps import next_steps, step_in_words
from results.store.frames import Results

MOST_NAMED = 3  # that are named


def lead_lines(results: Results, going_on: str = "") -> list[str]:
    """Say in a line which knobs matter, and in two what to do next; nothing of a replay, which searches nothing.

    Where the step to take first is the one that the caller is ``going_on`` with, nothing is left to say of it.
    """
    ahead = first_step(results)
    return [*_matters(results), *(() if ahead and ahead == going_on else next_lines(results))]


def first_step(results: Results) -> str:
    """Name the step to take first; empty where there is none."""
    steps = next_steps(results)
    return "" if steps.empty else str(steps["step"].iloc[0])


def _matters(results: Results) -> Iterator[str]:
    table = importance(results)
    judged = table[table["importance"].notna()]
    if judged.empty:
        if len(table) and len(results.trials):
            why = table["reason"].mode().iloc[0]
            yield f"What matters: these trials cannot tell it of any of {counted(len(table), 'knob')}: {why}."
        return
    told = judged[judged["can_tell"].fillna(False).astype(bool)]
    named = (told if len(told) else judged).head(MOST_NAMED).to_dict("records")
    parts = ", ".join(f"{row['knob']} {row['importance']:.2f} ({_surely(row, bool(len(told)))})" for row in named)
    of = f"Each number is the part of all differences in {objectives_of(results)[0]} that the knob makes."
    if len(told):
        nothing = f"{100 * LEAST_SHARE:g} %"
        of += f" They can tell it where the chance that this is under {nothing} is {100 * LEVEL:g} % at most."
        more = f", and {len(told) - len(named)} more" if len(told) > len(named) else ""
        knobs = counted(len(table), "knob")
        yield f"What matters: these trials can tell it of {len(told)} of {knobs}: {parts}{more}. {of}"
    else:
        yield f"What matters: these trials cannot tell yet. The largest parts of the variance, unsure: {parts}. {of}"
    yield f"  Compared: {table.attrs['about']}."


def _surely(row: Mapping[Any, Any], told: bool) -> str:
    """A knob's interval, and of one that is told the chance that tells it: the interval may begin at 0 all the same."""
    interval = f"{SHARE_INTERVAL} {row['low']:.2f} to {row['high']:.2f}"
    return f"{interval}, chance of under {100 * LEAST_SHARE:g} %: {100 * row['chance']:.1f} %" if told else interval


def next_lines(results: Results) -> Iterator[str]:
    """Say in two or three lines what to do next, with the command; nothing of a replay."""
    steps = next_steps(results).to_dict("records")
    if not steps:
        return
    yield f"What next: {step_in_words(steps[0])}"
    if isinstance(steps[0]["command"], str):
        yield f"  {steps[0]['command']}"
    if len(steps) > 1:
        others = ", ".join(str(row["step"]) + (f" ({row['takes']})" if row["takes"] else "") for row in steps[1:])
        yield f"  or: {others}; the page has their reasons and commands."
