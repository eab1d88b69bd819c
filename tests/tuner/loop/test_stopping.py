"""Why no further trial starts: the first reason counts, but for a signal."""

from __future__ import annotations

import signal

from tuner.loop.stopping import Stopping


def make(hours: float | None = None) -> tuple[Stopping, list[str], list[float]]:
    """One whose clock the test sets, and how often running trials were asked to end."""
    asked: list[str] = []
    now = [0.0]
    return Stopping(hours, lambda: now[0], lambda: asked.append("stop")), asked, now


def test_the_first_reason_counts_and_running_trials_are_asked_once() -> None:
    stopping, asked, _ = make()
    assert stopping.why == ""
    stopping.stop("the disk is full")
    stopping.stop("another")
    assert stopping.why == "the disk is full" and asked == ["stop"]


def test_a_signal_counts_whatever_the_reason_was() -> None:
    stopping, asked, _ = make()
    assert stopping.signal == signal.SIGINT
    stopping.stop("the disk is full")
    stopping.interrupt("interrupted", signal.SIGTERM)
    assert (stopping.why, stopping.signal, asked) == ("interrupted", signal.SIGTERM, ["stop", "stop"])


def test_it_stops_once_the_hours_are_over_and_not_before() -> None:
    stopping, asked, now = make(hours=0.5)
    for now[0] in (0.0, 1799.9):
        stopping.watch_hours()
        assert stopping.why == ""
    now[0] = 1800.0
    stopping.watch_hours()
    assert stopping.why == "the 0.5 hours are over" and asked == ["stop"]


def test_without_hours_no_time_stops_it() -> None:
    stopping, _, now = make()
    now[0] = 1e9
    stopping.watch_hours()
    assert stopping.why == ""
