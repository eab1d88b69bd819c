"""The steps of a replay beside those of its record. A schedule completes in both, but few steps rank runs otherwise."""

from __future__ import annotations

from collections.abc import Sequence

from terminal.counted import number_range

UNLIKE = 2  # so many times more or fewer steps are another training, of which the record says little


def steps_line(pairs: Sequence[tuple[float, float]]) -> str:
    """Say in one line that budgets differ, from pairs (steps here, steps in the log); empty where they do not."""
    unlike = sum(not 1 / UNLIKE <= first / second <= UNLIKE for first, second in pairs)
    here, there = (_span(side) for side in zip(*pairs, strict=True)) if pairs else ("", "")
    if here == there and not unlike:
        return ""
    which = "" if unlike == len(pairs) else f" for {unlike} of {len(pairs)}"
    warning = f"; budgets that differ by more than {UNLIKE} times{which}: the log says little of such trainings"
    return f"steps of a trial: {here} here, {there} in the log{warning if unlike else ''}"


def _span(steps: Sequence[float]) -> str:
    return number_range(round(min(steps)), round(max(steps)))
