"""Bimodal outcomes: runs of which some stay on a plateau, or diverge, by the luck of their seed.

A mean over both kinds says nothing of either: one run in five on a plateau hides any difference. So they are told
apart first, by a rule that does not see which config a run belongs to. Then the chance of escaping and the value of
those that escaped are compared, each by itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WIDER = 2  # times all of the lower group a gap is, for two groups: in 12 normal values that is so in one of a thousand
FEWEST = 12  # values: in fewer there are such gaps by chance
FAILED_TO_ESCAPE = ("diverged", "plateaued")  # ends without a value that count as not having escaped


@dataclass(frozen=True)
class NotEscaped:
    """Runs of a round that did not escape."""

    above: float | None  # value that they lie above; None where all of them ended without one
    stayed: int  # runs on it, and diverged ones
    runs: int


def gap_above(values: Sequence[float]) -> float | None:
    """Return the value that the upper of two groups lies above; None where there are no two groups.

    The groups are two where the gap between them is twice as wide as all of the lower one, and the upper one is no more
    than half of the runs. The lower end of the gap is returned, of the widest such gap.
    """
    ordered = sorted(values)
    if len(ordered) < FEWEST:
        return None
    gaps = [
        (ordered[place] - below, below)
        for place in range((len(ordered) + 1) // 2, len(ordered))
        for below in [ordered[place - 1]]
        if ordered[place] - below > WIDER * (below - ordered[0]) > 0
    ]
    return max(gaps)[1] if gaps else None


def plateau_of(ends: Mapping[str, Sequence[tuple[float | None, str]]]) -> NotEscaped | None:
    """Find the plateau of a round, of (value, status) by arm; None where every arm lies in one group as a whole.

    Two configs that differ by far are two groups as well, but that is a difference and no luck.
    """
    found = [end for runs in ends.values() for end in runs if end[0] is not None or end[1] in FAILED_TO_ESCAPE]
    above = gap_above([value for value, _ in found if value is not None])
    for limit in (above, None):
        escaped = {arm: {has_escaped(end, limit) for end in runs} - {None} for arm, runs in ends.items()}
        if any(len(kinds) == 2 for kinds in escaped.values()):
            return NotEscaped(limit, sum(not has_escaped(end, limit) for end in found), len(found))
    return None


def has_escaped(end: tuple[float | None, str], above: float | None) -> bool | None:
    """Tell whether a run escaped the plateau; None of one that says nothing of it, as a crash."""
    value, status = end
    if value is None:
        return False if status in FAILED_TO_ESCAPE else None
    return value <= (math.inf if above is None else above)
