"""Measures of a trial like the base that have been measured: by a trial that is reused, or by the campaign's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from results.store.campaign_folder import Store
from results.store.row_types import NEVER_A_TRIAL, TrialRow
from results.store.statuses import SEARCH
from search_spaces.objectives import cost_of
from terminal.counted import counted
from tuner.proposals.reuse import Library, lacking
from tuner.question import Question

TRAINED_TO_THE_END = ("completed", "infeasible")


@dataclass(frozen=True)
class AsMeasured:
    """A value, and in words whose it is."""

    value: float
    of: str


def already_measured(
    question: Question, store: Store | None, library: Library | None, data: str | None
) -> dict[str, AsMeasured]:
    """Find what is known of the measures that are limited, by their names.

    It is that of the base; in a campaign that has not measured it, the median of its trials. ``data`` is the data's
    fingerprint, where it is known.
    """
    limited = [limit.measure for limit in question.space.constraints]
    if not limited:
        return {}
    rows = [] if store is None else [row for row in store.trials() if _tells(row)]
    base = next((row for row in rows if row["is_base"]), None)
    if base is not None:
        return _of_row(limited, base, "of the base")
    if rows:
        return _of_trials(limited, rows)
    found = None if library is None or data is None else library.get(question.base.key(data))
    if found is None or found.row["status"] != "completed" or lacking(question.space, found.row):
        return {}
    return _of_row(limited, found.row, f"of the base in {found.campaign}")


def _tells(row: TrialRow) -> bool:
    searched = (row["stage"] or SEARCH) == SEARCH
    return searched and row["status"] in TRAINED_TO_THE_END and row["config"] != NEVER_A_TRIAL


def _of_row(limited: Sequence[str], row: TrialRow, of: str) -> dict[str, AsMeasured]:
    values = {measure: cost_of(measure, row) for measure in limited}
    return {measure: AsMeasured(value, of) for measure, value in values.items() if value is not None}


def _of_trials(limited: Sequence[str], rows: Sequence[TrialRow]) -> dict[str, AsMeasured]:
    found = {}
    for measure in limited:
        values = [value for row in rows if (value := cost_of(measure, row)) is not None]
        if values:
            found[measure] = AsMeasured(median(values), f"in the median of {counted(len(values), 'trial')} that ended")
    return found
