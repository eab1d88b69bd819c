"""Waiting for a store: a signal ends it, and a store that has never answered is not waited for for long.

The libraries wait inside of themselves, Google's for a quarter of an hour, and Python's handlers of signals run when
they are back. So they are called in a thread of their own, and what waits for that thread can be interrupted.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

FIRST_ANSWER_SECONDS = 30.0  # within which a store must answer once
LOOK_SECONDS = 0.5  # between two looks whether a signal has come, which another thread may have taken
GRACE_SECONDS = 2.0  # that what a signal cuts into has to end by itself, as a file that is being written
THREAD = "waits for a store"  # nothing ends such a thread: terminal/program.py leaves it behind
_answered: set[str] = set()
_limited = True


def wait_for_stores() -> None:
    """Wait from now on as long as the libraries do: a trial's worker goes on after a network that was away."""
    global _limited
    _limited = False


def waiting(store: str, work: Callable[[], T]) -> T:
    """Return what ``work`` returns, or raise what it raises; a TimeoutError where the store has never answered."""
    first = _limited and store not in _answered
    if not first and threading.current_thread() is not threading.main_thread():  # which alone handles signals
        return work()
    found: list[T] = []
    failed: list[BaseException] = []
    over = threading.Event()

    def call() -> None:
        try:
            found.append(work())
        except BaseException as error:
            failed.append(error)
        over.set()

    threading.Thread(target=call, name=THREAD, daemon=True).start()
    until = time.monotonic() + FIRST_ANSWER_SECONDS
    try:
        while not over.wait(min(LOOK_SECONDS, FIRST_ANSWER_SECONDS)) and not (first and time.monotonic() >= until):
            pass
    except BaseException:
        over.wait(GRACE_SECONDS)
        raise
    if not over.is_set():
        limit = f"{FIRST_ANSWER_SECONDS:g} s"
        raise TimeoutError(f"no answer from {store} within {limit}: is the network there, and the address right?")
    if not failed or isinstance(failed[0], FileNotFoundError):
        _answered.add(store)
    if failed:
        raise failed[0]
    return found[0]
