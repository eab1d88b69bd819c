"""Reading of a campaign's training curves for its report: one pass, in which each is let go but those that are drawn.

All are looked at, since notes are of all of them. To hold those of ten thousand trials together takes some hundred
megabytes, and a page draws those of a thousand.
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
    """Findings of all curves, and those curves that a page draws."""

    count: int = 0
    without_loss: list[int] = field(default_factory=list)  # numbers of trials whose curve has no training loss
    not_finite: list[int] = field(default_factory=list)  # of trials whose curve has values that are not finite
    drawn: dict[str, CurveArrays] = field(default_factory=dict)  # by the trial's key


def curves_read(results: Results) -> CurvesRead:
    """Read all curves, once for the same results. A ValueError as of :meth:`Results.each_curve`."""
    found: CurvesRead = results.once("curves", lambda: _read(results))
    return found


def _read(results: Results) -> CurvesRead:
    shown = set(shown_part(results).results.rows["key"])
    found = CurvesRead()
    for key, rows in results.each_curve():
        found.count += 1
        if LOSS not in rows["name"].unique().to_pylist():
            found.without_loss.append(number_of(rows))
        if not np.isfinite(rows["value"].to_numpy()).all():
            found.not_finite.append(number_of(rows))
        if key in shown:
            found.drawn[key] = CurveArrays.of(rows)
    return found
