"""Lines that lead a reader of a report on: which knobs matter, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator

from terminal.counted import counted

from results.questions.importance import importance
from results.questions.next_steps import next_steps, step_in_words
from results.store.frames import Results

MOST_NAMED = 3  # that are named


def lead_lines(results: Results) -> list[str]:
    """Say in a line which knobs matter, and in two what to do next; nothing of a replay, which searches nothing."""
    return [*_matters(results), *_next(results)]


def _matters(results: Results) -> Iterator[str]:
    table = importance(results)
    judged = table[table["importance"].notna()]
    if judged.empty:
        return
    told = judged[judged["can_tell"].fillna(False).astype(bool)]
    named = (told if len(told) else judged).head(MOST_NAMED).to_dict("records")
    parts = ", ".join(f"{row['knob']} {row['importance']:.2f}" for row in named)
    if len(told):
        more = f", and {len(told) - len(named)} more" if len(told) > len(named) else ""
        knobs = counted(len(table), "knob")
        yield f"What matters: these trials can tell it of {len(told)} of {knobs}: {parts}{more} (part of the variance)."
    else:
        yield f"What matters: these trials cannot tell yet. The largest parts of the variance, unsure: {parts}."


def _next(results: Results) -> Iterator[str]:
    steps = next_steps(results).to_dict("records")
    if not steps:
        return
    yield f"What next: {step_in_words(steps[0])}"
    if isinstance(steps[0]["command"], str):
        yield f"  {steps[0]['command']}"
    if len(steps) > 1:
        others = ", ".join(str(row["step"]) + (f" ({row['takes']})" if row["takes"] else "") for row in steps[1:])
        yield f"  or: {others}; the page has their reasons and commands."
