"""The copying of a campaign into one tracker: what is told of a trial becomes what the tracker does not have of it yet.

It runs in a process of its own (process.py) and reads reports and curves from the campaign's files, where they are
whole. The latest word of a trial replaces the ones before, so that a slow tracker is behind and never drowns. What
fails is tried again after a pause, from the step that the tracker itself says it has.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from results.statistics.confirmation import rounds
from results.store.campaign_folder import Store
from results.verdicts import verdict_in_words
from tuner.campaign.notify import told
from tuner.trackers.failure import failure
from tuner.trackers.rows import campaign_id, end_of, points_of, run_of, run_of_campaign
from tuner.trackers.tracker import Plain, TrackedEnd, TrackedRun, Tracker

PAUSE_SECONDS = 60.0  # after a failure


@dataclass(frozen=True)
class Told:
    """Latest word of a trial: its row, and the last step of which its files are whole."""

    key: str
    row: Mapping[str, Any]
    until: int | None = None  # None: the trial is over, or nobody writes it now
    arm_number: int | None = None
    last: bool = False  # nothing more will be told of it in this start

    @classmethod
    def of_json(cls, sent: Mapping[str, Any]) -> Told:
        return cls(**sent)


class Follower:
    """The copy of one campaign in one tracker."""

    def __init__(
        self,
        store: Store,
        kind: Callable[..., Tracker],
        place: str | None,
        say: Callable[[Mapping[str, Any]], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``say`` gets ``{"sent": key}`` for each trial that was brought up to date, and ``{"failed": why}``."""
        self.store, self.record, self.say, self.clock = store, store.campaign, say, clock
        self.name = store.folder.name
        self.tracker = kind(place, self.name, store.folder, campaign_id(self.name, self.record))
        self.campaign = run_of_campaign(self.record, self.name)
        self.waiting: dict[str, Told] = {}
        self.steps: dict[str, int] = {}  # id of an open run -> the last step that was sent
        self.whole: dict[str, str] = {}  # id -> mark, of runs that have ended
        self.begun = False
        self.resting_until = float("-inf")

    def hear(self, word: Told) -> None:
        self.waiting.pop(word.key, None)
        self.waiting[word.key] = word

    @property
    def idle_seconds(self) -> float | None:
        """Seconds until there is something to do; None where that depends on what is heard."""
        return max(0.0, self.resting_until - self.clock()) if self.waiting else None

    def work(self) -> bool:
        """Bring one trial up to date, the one that has waited longest; tells whether that worked."""
        key, word = next(iter(self.waiting.items()))
        try:
            self._begin()
            self._send(word)
        except Exception as error:  # whatever a tracker raises
            self.resting_until = self.clock() + PAUSE_SECONDS
            self.say({"failed": failure(error)})
            return False
        if self.waiting.get(key) is word:
            del self.waiting[key]
        self.say({"sent": key})
        return True

    def finish(self, code: int) -> int:
        """Send what waits, then the verdict; returns how many trials are lacking, -1 where only the end failed."""
        while self.waiting and self.work():
            pass
        if self.waiting:
            return len(self.waiting)
        try:
            self._begin()
            self.tracker.end(replace(self.campaign, tags=(*self.campaign.tags, "completed")), self._verdict(code))
            self.tracker.close()
        except Exception as error:
            self.say({"failed": failure(error)})
            return -1
        return 0

    def _begin(self) -> None:
        if not self.begun:
            self.tracker.begin()
            self.tracker.open(self.campaign)
            self.begun = True

    def _send(self, word: Told) -> None:
        run, end = run_of(word.row, self.record, self.name, word.arm_number), end_of(word.row)
        if run.id not in self.steps and run.id not in self.whole:
            self.whole[run.id] = self.tracker.mark(run)
        if end.mark and self.whole.get(run.id) == end.mark:
            return
        self._send_points(run, word)
        if end.mark or word.last:
            self.tracker.end(replace(run, tags=(*run.tags, end.status)), end)
            del self.steps[run.id]
            self.whole[run.id] = end.mark

    def _send_points(self, run: TrackedRun, word: Told) -> None:
        after = self.steps.pop(run.id, None)  # not known until all is well
        if after is None:
            after = self.tracker.open(run)
        reports = self.store.reports(word.key, word.row["number"])
        points = points_of(reports, self.store.curve(word.key), after, word.until)
        if points:
            self.tracker.log(run, points)
        self.steps[run.id] = points[-1].step if points else after

    def _verdict(self, code: int) -> TrackedEnd:
        """The end of the campaign's run: what the confirmation says, of all candidates and of each."""
        names = {"TUNER_EXIT_CODE": "exit_code", "TUNER_VERDICT": "verdict", "TUNER_WINNER": "winner"}
        names |= {"TUNER_DIFFERENCE": "difference"}
        said = told(self.store, code)
        row: dict[str, Plain] = {name: said[variable] for variable, name in names.items() if said[variable]}
        rows = self.store.trials()
        numbers = {each["key"]: each["number"] for each in rows}
        for one in rounds(rows)[-1:]:
            for arm, verdict in one.judgement.verdicts.items():
                row[f"verdict of trial {numbers.get(arm, '?')}"] = verdict_in_words(verdict)
        return TrackedEnd("completed", row, f"over {code}", time.time())
