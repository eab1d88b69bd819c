"""The time left of a search that this process drives, from its book."""

from __future__ import annotations

import time
from collections.abc import Callable

from results.store.statuses import SEARCH
from trainable.config import TrainConfig
from tuner.plan.known import ToCome
from tuner.plan.pace import TrialCourse
from tuner.plan.time_left import Span, time_left
from tuner.plan.trial_cost import evaluations_at_the_end, work_of
from tuner.search_loop import Search

FRESH_SECONDS = 5.0  # for which an estimate is gone on with
COST = 50  # and for so many times as long as it took: no more than 2 % of a core goes into it


def time_left_of(search: Search) -> Span | None:
    """The time left by the search's book; None before any trial has reported, and while the campaign is being ended."""
    if search.stopping:
        return None
    entries, live = list(search.ledger.entries.values()), dict(search.live)
    rows = [entry.row for entry in entries if entry.config is not None]
    come = to_come(search)
    searching = come.to_start or search.queue.waiting or any(entry.stage == SEARCH for entry in live.values())
    confirmation = search.confirmation
    found = None if searching or confirmation is None else confirmation.round
    at_rungs = {entry.key: dict(entry.milestones) for entry in entries}
    left = time_left(come, rows, set(live), search.ledger.now(), at_rungs, found)
    until = search.seconds_left
    return left if left is None or until is None else left.at_most(until)


class TimeLeft:
    """The time left of a search, worked out anew now and then; in between it runs down with the clock."""

    def __init__(self, search: Search, clock: Callable[[], float] = time.monotonic) -> None:
        self.search, self.clock = search, clock
        self._at, self._good_until, self._span = 0.0, -1.0, None  # type: float, float, Span | None

    def now(self) -> Span | None:
        at = self.clock()
        if self._span is None or self._good_until < at or self.search.stopping:
            self._span = time_left_of(self.search)
            took = self.clock() - at
            self._at, self._good_until = at, at + max(FRESH_SECONDS, COST * took)
        return None if self._span is None else self._span.after(at - self._at)


def to_come(search: Search) -> ToCome:
    """Collect what the search has still to do."""
    spec, base = search.spec, search.base
    assert spec.reports is not None and spec.stopper is not None, "it is settled"
    end = evaluations_at_the_end(base) if isinstance(base, TrainConfig) else 1.0
    planned = tuple((p.recorded_id, float(p.config.budget.amount)) for p in search.planned or ())
    return ToCome(
        course=TrialCourse(tuple(search.stopper.milestones), spec.reports, spec.fidelity, end),
        budget=base.budget.amount,
        slots=search.here.slots,
        to_start=max(0, search.trials - search.num_started) if not search.queue.spent else 0,
        stopper=spec.stopper,
        confirm=spec.confirm or None,
        ablate=spec.ablate,
        planned=planned,
        work=_work(search),
    )


def _work(search: Search) -> dict[str, float]:
    """Return the arithmetic of a budget unit of each of a replay's runs, by recorded id."""
    if search.planned is None:
        return {}
    begun = [(str(entry.row["recorded_id"]), entry.config) for entry in list(search.ledger.entries.values())]
    found = [*begun, *((p.recorded_id, p.config) for p in search.planned)]
    return {name: work_of(config) for name, config in found if isinstance(config, TrainConfig)}
