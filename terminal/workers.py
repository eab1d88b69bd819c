"""Processes that work for a program: they end with it, whichever way it ends, and leave its signals to it.

A worker of a plain pool prints a traceback at Ctrl-C, and waits for ever for work where its program was killed.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import connection, get_context, parent_process, resource_tracker
from types import TracebackType
from typing import Any


class Workers(ProcessPoolExecutor):
    """Pool of ``jobs`` new processes (``spawn``), in each of which ``prepare`` is called first."""

    def __init__(self, jobs: int, prepare: Callable[[], object] | None = None) -> None:
        _begin_tracker()
        super().__init__(jobs, get_context("spawn"), initializer=_begin, initargs=(prepare,))

    def submit(self, call: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        with _without_interrupts():  # it starts a process where it needs one more, which inherits this
            return super().submit(call, *arguments, **named)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        if error is not None:  # nobody waits for what runs
            running = list((self._processes or {}).values())
            self.shutdown(wait=False, cancel_futures=True)
            for process in running:
                process.kill()
        return super().__exit__(kind, error, traceback)


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Hold Ctrl-C back to the end of the block; processes that are started in it never hear of one."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin_tracker() -> None:
    """Start the process that removes what a program that was ended has left of semaphores, so that it keeps silent."""
    name, quiet = "PYTHONWARNINGS", "ignore::UserWarning:multiprocessing.resource_tracker"
    before = os.environ.get(name)
    os.environ[name] = quiet if before is None else f"{before},{quiet}"
    try:
        resource_tracker.ensure_running()
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def _begin(prepare: Callable[[], object] | None) -> None:
    """Initialise a worker."""
    threading.Thread(target=_end_with_the_program, daemon=True).start()
    if prepare is not None:
        prepare()


def _end_with_the_program() -> None:
    program = parent_process()
    assert program is not None, "a worker is started by multiprocessing"
    connection.wait([program.sentinel])
    os._exit(1)
