"""Limits of a search in its reports: which there are, and each trial's own value of what they limit."""

from __future__ import annotations

from collections.abc import Sequence

from terminal.counted import counted
from terminal.short import in_column

from results.store.frames import Results
from results.store.row_types import NEVER_A_TRIAL, TrialRow
from results.tally import tally
from results.unmet_limits import Limit, limits_of, measure_in, texts_of
from results.verdicts import searched_rows


def limits_line(results: Results) -> str:
    """Say which limits a trial must keep to count; empty without any."""
    texts = texts_of(limits := limits_of(results.campaign))
    if not texts:
        return ""
    rows = [row for row in searched_rows(results) if row["status"] == "infeasible" and _is_beyond(row, limits)]
    found = tally((row["status"], row["config"]) for row in rows)
    who = [counted(found.trials, "trial")] if found.trials or not found.proposals else []
    who += [counted(found.proposals, "proposal")] if found.proposals else []
    said = f"{', '.join(texts)}; {' and '.join(who)} beyond."
    return f"Limit{'s' if len(texts) > 1 else ''} that a trial must keep: {said}"


def _is_beyond(row: TrialRow, limits: Sequence[Limit]) -> bool:
    """Tell whether it is a limit that a row is infeasible by: not where its values made no valid config."""
    known = ((limit, measure_in(row, limit.measure)) for limit in limits)
    breaks = any(value is not None and limit.excess(value) > 0 for limit, value in known)
    return breaks or row["config"] != NEVER_A_TRIAL


def limited(results: Results) -> list[Limit]:
    """The limits on measures that a report does not show as its objective anyway, one a measure."""
    shown = results.campaign.get("objectives") or [results.campaign.get("objective")]
    found = {limit.measure: limit for limit in limits_of(results.campaign) if limit.measure not in shown}
    return list(found.values())


def limited_values(limits: Sequence[Limit], rows: Sequence[TrialRow]) -> list[list[str]]:
    """The cells of each row, one a limit: with one number of digits in a column, "-" where it is not known."""
    columns = []
    for limit in limits:
        values = [measure_in(row, limit.measure) for row in rows]
        whole = all(value is None or abs(value) >= 1000 for value in values)
        form = _whole if whole else in_column(values)
        columns.append(["-" if value is None else form(value) for value in values])
    return [list(cells) for cells in zip(*columns, strict=True)] if columns else [[] for _ in rows]


def _whole(value: float) -> str:
    return f"{value:,.0f}"


def limited_leads(results: Results, rows: Sequence[TrialRow]) -> list[list[str]]:
    """The words about what is limited that stand in the line of each row, before its changes."""
    limits = limited(results)
    cells = limited_values(limits, rows)
    return [[f"{limit.measure}={cell}" for limit, cell in zip(limits, own, strict=True)] for own in cells]
