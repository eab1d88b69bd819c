"""The seconds of each slot: which run had it when, and how much went into training, evaluation, set-up and waiting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from results.questions.framed import COUNT, MOMENT, NUMBER, WORDS, YES_NO, framed
from results.questions.readable import Readable
from results.store.frames import Results
from results.store.statuses import SEARCH

SPENT_ON = ("training_seconds", "evaluation_seconds", "compile_seconds", "setup_seconds", "unsplit_seconds")
_MEASURED = ("train_seconds", "eval_seconds", "compile_seconds")
_NEEDED = ("number", "key", "stage", "status", "attempt", "started_at", "ended_at", "reused_from", "worker", *_MEASURED)
_Row = Mapping[Any, Any]

_RUNS = {
    "slot": COUNT, "host": WORDS, "trial": COUNT, "key": WORDS, "stage": WORDS, "status": WORDS, "attempt": COUNT,
    "started_at": MOMENT, "ended_at": MOMENT, "is_running": YES_NO, "seconds": NUMBER,
    **dict.fromkeys(SPENT_ON, NUMBER), "idle_before_seconds": NUMBER,
}  # fmt: skip
_SLOTS = {
    "slot": COUNT, "host": WORDS, "runs": COUNT, "seconds": NUMBER, **dict.fromkeys(SPENT_ON, NUMBER),
    "idle_seconds": NUMBER, "paused_seconds": NUMBER, "busy": NUMBER,
}  # fmt: skip


def time(campaign: Readable) -> pd.DataFrame:
    """When did each run have its slot, and what took the seconds?

    A row a run that was started here, those after the search included, by slot and start. Only the last attempt of a
    run is in the files; a trial that another campaign trained has no row here.

    - ``slot`` (from 0), and ``host`` where it is: a place that has one run at a time. Rows do not say which it was:
      a run takes the slot that its worker process had before, else the first that is free on its host
    - ``trial`` (its number), ``key``, ``stage`` (search, confirm or ablate), ``status``, ``attempt`` (from 1)
    - ``started_at``, ``ended_at`` (UTC), ``seconds`` between them. ``is_running``: it has not ended; its ``ended_at``
      is then that of its last report, or null before there is one
    - ``training_seconds`` (those beside the run for its fidelity included), ``evaluation_seconds``,
      ``compile_seconds``, and ``setup_seconds``: the rest, from the start of the process to the building of the model.
      A run that went on after an interruption says only what all its attempts took: its seconds are
      ``unsplit_seconds`` instead
    - ``idle_before_seconds``: since the end of the run before it on this slot; null for the first
    """
    results = campaign.read()
    found: pd.DataFrame = results.once("time", lambda: framed(_placed(results), _RUNS))
    return found.copy()


def slot_seconds(campaign: Readable) -> pd.DataFrame:
    """Where did each slot's seconds go: training, evaluation, set-up, idle?

    A row a slot: ``slot``, ``host``, ``runs`` (count), ``seconds`` from the campaign's first start to its last end,
    and what they are made of, as in :func:`time`, and:

    - ``idle_seconds``: the slot had no run, while another one had
    - ``paused_seconds``: no slot had a run: the campaign waited for a decision, or was interrupted until it was resumed
    - ``busy``: the share of ``seconds`` but those paused in which the slot had a run (a fraction)
    """
    runs = time(campaign)
    runs = runs[runs["ended_at"].notna()]
    if runs.empty:
        return framed([], _SLOTS)
    whole = (runs["ended_at"].max() - runs["started_at"].min()).total_seconds()
    paused = whole - _covered(runs)
    return framed((_slot(slot, own, whole, paused) for slot, own in runs.groupby("slot")), _SLOTS)


def _slot(slot: Any, own: pd.DataFrame, whole: float, paused: float) -> dict[str, Any]:
    with_run = float(own["seconds"].sum())
    open_seconds = whole - paused
    return {
        "slot": slot,
        "host": own["host"].iloc[0],
        "runs": len(own),
        "seconds": whole,
        **{name: float(own[name].sum()) for name in SPENT_ON},
        "idle_seconds": open_seconds - with_run,
        "paused_seconds": paused,
        "busy": with_run / open_seconds if open_seconds > 0 else None,
    }


def _covered(runs: pd.DataFrame) -> float:
    """Seconds in which at least one slot had a run."""
    covered, until = 0.0, None
    for start, end in runs.sort_values("started_at")[["started_at", "ended_at"]].itertuples(index=False):
        begin = start if until is None or start > until else until
        if end > begin:
            covered += (end - begin).total_seconds()
            until = end
    return covered


@dataclass
class _Slot:
    number: int
    host: str | None
    worker: str | None
    free_at: pd.Timestamp | None  # None while its run goes on


def _placed(results: Results) -> Iterator[dict[str, Any]]:
    rows = results.rows[[name for name in _NEEDED if name in results.rows]]
    ran = rows[rows["started_at"].notna() & rows["reused_from"].isna()].sort_values(["started_at", "number"])
    last_reports = dict(results.reports.groupby("key")["at"].max())
    places: list[_Slot] = []
    found = []
    for row in ran.to_dict("records"):
        is_running = pd.isna(row["ended_at"])
        end = last_reports.get(row["key"]) if is_running else row["ended_at"]
        end = None if end is None or pd.isna(end) or end < row["started_at"] else end
        place, idle = _take(places, row)
        place.free_at = None if is_running else end
        at = {"slot": place.number, "host": place.host, "idle_before_seconds": idle}
        found.append({**_run(row, end, is_running), **at})
    yield from sorted(found, key=lambda run: (run["slot"], run["started_at"]))


def _take(places: list[_Slot], row: _Row) -> tuple[_Slot, float | None]:
    """The slot that a run has, a new one where none is free; and how long that slot had been free, in seconds."""
    worker = row["worker"] if isinstance(row["worker"], str) else None
    host = None if worker is None else worker.rpartition(":")[0]
    start = row["started_at"]
    free = [place for place in places if place.free_at is not None and place.free_at <= start]
    free = [place for place in free if None in (place.host, host) or place.host == host]
    own = [place for place in free if worker is not None and place.worker == worker]
    if not free:
        places.append(_Slot(len(places), host, worker, None))
        return places[-1], None
    place = (own or free)[0]
    assert place.free_at is not None
    place.host, place.worker = host or place.host, worker
    return place, (start - place.free_at).total_seconds()


def _run(row: _Row, end: Any, is_running: bool) -> dict[str, Any]:
    seconds = None if end is None else (end - row["started_at"]).total_seconds()
    return {
        "trial": row["number"],
        "key": row["key"],
        "stage": row["stage"] if isinstance(row["stage"], str) else SEARCH,
        "status": str(row["status"]),
        "attempt": row["attempt"],
        "started_at": row["started_at"],
        "ended_at": end,
        "is_running": is_running,
        "seconds": seconds,
        **_split(row, seconds),
    }


def _split(row: _Row, seconds: float | None) -> dict[str, float | None]:
    if seconds is None:
        return dict.fromkeys(SPENT_ON)
    if (row["attempt"] or 1) > 1:
        return {**dict.fromkeys(SPENT_ON, 0.0), "unsplit_seconds": seconds}
    known = [0.0 if pd.isna(row[name]) else float(row[name]) for name in _MEASURED]
    return dict(zip(SPENT_ON, (*known, seconds - sum(known), 0.0), strict=True))
