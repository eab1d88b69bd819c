"""Reasons to stop: the hours of a start are over, or something else ends the campaign early."""

from __future__ import annotations

import signal
from collections.abc import Callable


class Stopping:
    """Says why no further trial starts, and asks those that run to end."""

    def __init__(self, hours: float | None, clock: Callable[[], float], ask_to_stop: Callable[[], None]) -> None:
        """``clock`` gives seconds; ``ask_to_stop`` lets every running trial write its checkpoint and end."""
        self.hours, self.clock, self.ask_to_stop = hours, clock, ask_to_stop
        self.started_at = clock()
        self.why = ""
        self.signal = int(signal.SIGINT)  # if that is because of one

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the hours are over; None where they are not limited."""
        return None if self.hours is None else self.hours * 3600 - (self.clock() - self.started_at)

    def stop(self, why: str) -> None:
        """Start nothing more, for the first reason that is given."""
        if not self.why:
            self.why = why
            self.ask_to_stop()

    def interrupt(self, why: str, number: int) -> None:
        """Stop because of a signal, whatever was the reason until now."""
        self.why, self.signal = "", number
        self.stop(why)

    def watch_hours(self) -> None:
        """Stop once they are over."""
        if not self.why and self.seconds_left is not None and self.seconds_left <= 0:
            self.stop(f"the {self.hours:g} hours are over")
