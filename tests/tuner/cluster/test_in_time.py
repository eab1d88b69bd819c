from __future__ import annotations

import signal
import threading

import pytest

from terminal import program
from tuner.cluster.in_time import in_time


def test_a_call_that_ends_has_ended_and_what_it_raises_is_raised() -> None:
    done: list[int] = []
    assert in_time(lambda: done.append(1), 60) and done == [1]
    with pytest.raises(ZeroDivisionError):
        in_time(lambda: 1 / 0, 60)


def test_a_call_that_hangs_is_left_behind() -> None:
    hangs = threading.Event()
    assert not in_time(hangs.wait, 0.4)
    hangs.set()


def test_a_signal_is_heeded_while_a_call_hangs() -> None:
    hangs = threading.Event()
    with pytest.raises(KeyboardInterrupt), program.raising("program"):
        timer = threading.Timer(0.3, lambda: signal.raise_signal(signal.SIGINT))
        timer.start()
        in_time(hangs.wait, 60)
    hangs.set()
    timer.join()
