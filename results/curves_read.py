"""Reading of a campaign's training curves for its report: those that its page draws, each once.

A page of thousands of trials shows a thousand of them. To read the curves of ten thousand takes seconds more, and in an
object store as many requests, to say of curves that nobody sees what is in them: a note says how many were not read.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from results.page.part import shown_part
from results.store.curves import CurveArrays, number_of
from results.store.frames import Results

LOSS = "loss"  # the name of the training loss in a curve


@dataclass
class CurvesRead:
    """The curves that a page draws, and what was found in them."""

    count: int = 0
    of: int = 0  # that there are
    without_loss: list[int] = field(default_factory=list)  # numbers of trials whose curve has no training loss
    not_finite: list[int] = field(default_factory=list)  # of trials whose curve has values that are not finite
    drawn: dict[str, CurveArrays] = field(default_factory=dict)  # by the trial's key


def curves_read(results: Results) -> CurvesRead:
    """Read the curves that are drawn, once for the same results. A ValueError as of :meth:`Results.each_curve`."""
    found: CurvesRead = results.once("curves", lambda: _read(results))
    return found


def _read(results: Results) -> CurvesRead:
    part = shown_part(results)
    shown = None if part.trials == part.of else set(part.results.rows["key"])
    found = CurvesRead()
    for key, rows in results.each_curve(shown):
        found.count += 1
        if LOSS not in rows["name"].unique().to_pylist():
            found.without_loss.append(number_of(rows))
        if not np.isfinite(rows["value"].to_numpy()).all():
            found.not_finite.append(number_of(rows))
        found.drawn[key] = CurveArrays.of(rows)
    found.of = found.count if shown is None else len(results.store.curve_keys() or ())
    return found
