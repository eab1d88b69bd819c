"""Slots over time: which trial occupied a place on a machine, from when to when, and what its seconds went to."""

from __future__ import annotations

from typing import Any

import pandas as pd

from results.page.plain import shown_text

PARTS = ("set-up", "training", "evaluation", "compiling")


def bars_of_slots(trials: pd.DataFrame) -> dict[str, Any] | None:
    """Bars in lanes, each ``[place, lane, start, end, seconds of each part]``; None where no trial was started here.

    A lane holds trials that did not overlap on one host: as many lanes as there were at once. Times are seconds since
    the first start; a trial that still runs ends now, which is the latest moment that any row knows of.
    """
    started = trials[trials["started_at"].notna()]
    started = started[started["reused_from"].isna()] if "reused_from" in started else started
    if started.empty:
        return None
    start = started["started_at"].min()
    now = max(started["ended_at"].max(), started["started_at"].max()) if started["ended_at"].notna().any() else start
    lanes: list[tuple[str, float]] = []  # host and when it is free
    bars: list[list[Any]] = []
    for place, row in sorted(started.iterrows(), key=lambda item: item[1]["started_at"]):
        begins = (row["started_at"] - start).total_seconds()
        ends = ((now if pd.isna(row["ended_at"]) else row["ended_at"]) - start).total_seconds()
        lane = _lane(lanes, _host(row), begins)
        lanes[lane] = (lanes[lane][0], ends)
        bars.append([place, lane, round(begins, 2), round(max(ends, begins), 2), _parts(row, ends - begins)])
    names = [shown_text(host) for host, _ in lanes]
    total = max(bar[3] for bar in bars)
    return {
        "start": start.strftime("%Y-%m-%d %H:%M:%S UTC"),
        "seconds": total,
        "lanes": names,
        "parts": PARTS,
        "bars": bars,
    }


def _host(row: pd.Series) -> str:
    worker = row.get("worker")
    return worker.rpartition(":")[0] or "slot" if isinstance(worker, str) else "slot"


def _lane(lanes: list[tuple[str, float]], host: str, begins: float) -> int:
    """The first lane of the host that is free then (but for a tenth of a second of clocks), else a new one."""
    for place, (name, free) in enumerate(lanes):
        if name == host and free <= begins + 0.1:
            return place
    lanes.append((host, begins))
    return len(lanes) - 1


def _parts(row: pd.Series, wall: float) -> list[float]:
    """Seconds of set-up (all that is nothing else), training, evaluation and compiling, of ``wall`` in all."""
    training, evaluation, compiling = (
        0.0 if name not in row or pd.isna(row[name]) else float(row[name])
        for name in ("train_seconds", "eval_seconds", "compile_seconds")
    )
    known = training + evaluation + compiling
    if known > wall > 0:  # of earlier attempts too
        training, evaluation, compiling = (part * wall / known for part in (training, evaluation, compiling))
        known = wall
    return [round(part, 2) for part in (max(0.0, wall - known), training, evaluation, compiling)]
