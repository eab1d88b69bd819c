"""Curves of the trials that run, as their reports bring them: written now and then on the way, and whole at the end.

A curve is a file of its own, replaced whole: two milliseconds, and a wait for the disk once it is to be durable. Where
trials report many times a second, most of those files would be replaced before anybody reads them. Only a tracker reads
each: it sends what has come since the report before.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from results.store.campaign_folder import Store
from tuner.campaign.entry import Entry
from tuner.campaign.outline import outline

LEAST_SECONDS = 1.0  # from the beginning of a trial, or its last write, to the next one while it runs


@dataclass
class _Curve:
    """State of one trial's curve."""

    written_at: float  # monotonic seconds; at first those at which the trial began
    late: tuple[Mapping[str, Any], float] | None = None  # one that is not written yet, and its part of the budget
    durable: bool = True  # what is written


class RunningCurves:
    """Writes the curves of one campaign's trials."""

    def __init__(self, store: Store, now: Callable[[], float] = time.monotonic) -> None:
        self.store, self.now = store, now
        self._running: dict[str, _Curve] = {}

    def begin(self, key: str) -> None:
        """Note that an attempt at the trial begins."""
        self._running[key] = _Curve(self.now())

    def reported(self, entry: Entry, curve: Mapping[str, Any], part: float, at_once: bool) -> None:
        """Take the curve of a trial that has spent this ``part`` of its budget, in place of what it sent before."""
        known = self._running.setdefault(entry.key, _Curve(self.now() - LEAST_SECONDS))
        known.late = curve, part
        if at_once or self.now() - known.written_at >= LEAST_SECONDS:
            self._write(entry, known, durable=False)

    def close(self, entry: Entry) -> None:
        """Write what is not written yet, and let all of it be durable: before the row that says how the trial ended."""
        known = self._running.pop(entry.key, None)
        if known is not None and known.late is not None:
            self._write(entry, known, durable=True)
        elif known is not None and not known.durable:
            self.store.sync_curve(entry.key)

    def _write(self, entry: Entry, known: _Curve, durable: bool) -> None:
        assert known.late is not None
        (curve, part), known.late = known.late, None
        if self.store.write_curve(entry.key, entry.number, curve, durable):
            entry.outline = outline(curve, part)
            known.written_at, known.durable = self.now(), durable
