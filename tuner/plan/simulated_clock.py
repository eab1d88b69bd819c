"""Trials in slots under a simulated clock: what a campaign would take, without taking it.

A trial is an iterator. It yields the seconds until it next reports and is resumed at that simulated moment, so that
whatever it does between two yields (report, be judged, end) happens in the order in which a cluster would see it.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator

Trial = Iterator[float]  # seconds until the next report; it ends when the trial does


class SimulatedClock:
    """Runs trials in any number of slots. ``seconds`` is the time now, ``busy_seconds`` the sum over all trials."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.busy_seconds = 0.0

    def run(self, next_trial: Callable[[], Trial | None], slots: int, enough: Callable[[], bool] | None = None) -> None:
        """Fill the slots by ``next_trial`` until it has no more, or ``enough`` says so after an event.

        Events at the same moment happen in the order in which their trials were started. What still runs when there
        is enough is dropped there.
        """
        assert slots >= 1, slots
        due: list[tuple[float, int, float, Trial]] = []  # the number keeps equal moments in order
        number, over = 0, False
        while True:
            while not over and len(due) < slots:
                trial = next_trial()
                over = trial is None
                if trial is not None:
                    self._wait(due, number, trial)
                    number += 1
            if not due:
                return
            moment, which, seconds, trial = heapq.heappop(due)
            self.seconds = moment
            self.busy_seconds += seconds
            self._wait(due, which, trial)
            if enough is not None and enough():
                return

    def _wait(self, due: list[tuple[float, int, float, Trial]], number: int, trial: Trial) -> None:
        seconds = next(trial, None)
        if seconds is not None:
            heapq.heappush(due, (self.seconds + seconds, number, seconds, trial))
