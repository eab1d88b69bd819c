"""The seconds of each slot: which run had it when, and how much went into training, evaluation, set-up and waiting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from results.questions.framed import COUNT, MOMENT, NUMBER, WORDS, YES_NO, framed
from results.questions.readable import Readable
from results.store.frames import Results
from results.store.statuses import SEARCH

SPENT_ON = ("training_seconds", "evaluation_seconds", "compile_seconds", "setup_seconds", "unsplit_seconds")
_MEASURED = ("train_seconds", "eval_seconds", "compile_seconds")
_NEEDED = ("number", "key", "stage", "status", "attempt", "started_at", "ended_at", "reused_from", "worker", *_MEASURED)

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
    found: pd.DataFrame = results.once("time", lambda: _placed(results))
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
    free_at: int | None  # None while its run goes on


def _placed(results: Results) -> pd.DataFrame:
    """The rows of :func:`time`. Moments are whole microseconds here: to compare those of pandas takes a hundred times
    as long.
    """
    rows = results.rows[[name for name in _NEEDED if name in results.rows]]
    ran = rows[rows["started_at"].notna() & rows["reused_from"].isna()].sort_values(["started_at", "number"])
    last_reports = results.reports.groupby("key")["at"].max()
    starts, ends = _moments(ran["started_at"]), _moments(ran["ended_at"])
    reported = dict(zip(last_reports.index, _moments(last_reports), strict=True))
    workers = [worker if isinstance(worker, str) else None for worker in ran["worker"]]
    measured = zip(*(ran[name].astype("float64").fillna(0.0).tolist() for name in _MEASURED), strict=True)
    places: list[_Slot] = []
    found = []
    for at, (key, attempt, start, ended, worker, known) in enumerate(
        zip(ran["key"], ran["attempt"].tolist(), starts, ends, workers, measured, strict=True)
    ):
        end = reported.get(key) if ended is None else ended
        end = None if end is None or end < start else end
        place, idle = _take(places, worker, start)
        place.free_at = None if ended is None else end
        seconds = None if end is None else _seconds(end - start)
        found.append((place.number, start, at, place.host, end, seconds, idle, _split(attempt, seconds, known)))
    found.sort(key=lambda run: run[:2])
    slots, _, order, hosts, until, took, idles, splits = zip(*found, strict=True) if found else [()] * 8
    own = ran.iloc[list(order)].reset_index(drop=True)
    frame = pd.DataFrame(
        {
            "slot": slots,
            "host": hosts,
            "trial": own["number"],
            "key": own["key"],
            "stage": [stage if isinstance(stage, str) else SEARCH for stage in own["stage"]],
            "status": own["status"].astype(str),
            "attempt": own["attempt"],
            "started_at": own["started_at"],
            "ended_at": pd.Series(np.array(until, "datetime64[us]"), own.index).dt.tz_localize("UTC"),
            "is_running": own["ended_at"].isna(),
            "seconds": took,
            **{name: [split[place] for split in splits] for place, name in enumerate(SPENT_ON)},
            "idle_before_seconds": idles,
        },
        own.index,
    )
    return frame.astype(_RUNS)


def _moments(column: pd.Series) -> list[int | None]:
    """Microseconds since 1970, None for null."""
    cells = column.astype(pd.DatetimeTZDtype("us", "UTC"))
    numbers = cells.dt.tz_localize(None).to_numpy("datetime64[us]").astype("int64").tolist()
    return [None if gone else number for number, gone in zip(numbers, cells.isna().tolist(), strict=True)]


def _seconds(microseconds: int) -> float:
    """A span as ``Timedelta.total_seconds`` has it, to the last bit."""
    whole, part = divmod(microseconds, 10**6)
    return whole + part / 10**6


def _take(places: list[_Slot], worker: str | None, start: int) -> tuple[_Slot, float | None]:
    """The slot that a run has, a new one where none is free; and how long that slot had been free, in seconds."""
    host = None if worker is None else worker.rpartition(":")[0]
    free = [place for place in places if place.free_at is not None and place.free_at <= start]
    free = [place for place in free if None in (place.host, host) or place.host == host]
    own = [place for place in free if worker is not None and place.worker == worker]
    if not free:
        places.append(_Slot(len(places), host, worker, None))
        return places[-1], None
    place = (own or free)[0]
    assert place.free_at is not None
    place.host, place.worker = host or place.host, worker
    return place, _seconds(start - place.free_at)


def _split(attempt: int, seconds: float | None, known: Sequence[float]) -> Sequence[float | None]:
    """The seconds of a run by what they were spent on, in the order of SPENT_ON."""
    if seconds is None:
        return [None] * len(SPENT_ON)
    if (attempt or 1) > 1:
        return [0.0] * (len(SPENT_ON) - 1) + [seconds]
    return [*known, seconds - sum(known), 0.0]
