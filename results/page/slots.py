"""Slots over time for a page: a bar a run, in the lane of the place that it had."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from results.page.plain import shown_text
from results.questions.time import SPENT_ON, time
from results.store.frames import Results


def bars_of_slots(results: Results, places: Mapping[int, int]) -> dict[str, Any] | None:
    """Bars ``[place of the trial, lane, start, end, seconds of each part]``; None where no run was started here.

    Times are seconds since the first start. A run that goes on ends where it last reported. The bars are of the runs
    that have ``places``, all else is of all of them.
    """
    runs = time(results)
    if runs.empty:
        return None
    start = runs["started_at"].min()
    ends = runs["ended_at"].fillna(runs["started_at"])
    bars = []
    for row in runs[runs["trial"].isin(list(places))].to_dict("records"):
        begins = (row["started_at"] - start).total_seconds()
        until = begins if pd.isna(row["ended_at"]) else (row["ended_at"] - start).total_seconds()
        parts = [0.0 if pd.isna(row[part]) else round(float(row[part]), 2) for part in SPENT_ON]
        bars.append([places[row["trial"]], int(row["slot"]), round(begins, 2), round(max(begins, until), 2), parts])
    hosts = runs.drop_duplicates("slot").sort_values("slot")["host"]
    return {
        "start": start.strftime("%Y-%m-%d %H:%M:%S UTC"),
        "seconds": round(max(0.0, (ends.max() - start).total_seconds()), 2),
        "sums": [round(float(runs[part].fillna(0.0).sum()), 2) for part in SPENT_ON],
        "lanes": _names(["slot" if pd.isna(host) else shown_text(host) for host in hosts]),
        "parts": [part.removesuffix("_seconds").replace("setup", "set-up") for part in SPENT_ON],
        "bars": bars,
    }


def _names(hosts: Sequence[str]) -> list[str]:
    """Name each lane by its host and its number there; by its number alone where there is one host."""
    seen: Counter[str] = Counter()
    names = []
    for host in hosts:
        seen[host] += 1
        names.append(f"{host if len(set(hosts)) > 1 else 'slot'} {seen[host]}")
    return names
