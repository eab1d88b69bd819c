"""What guards the one process that drives a campaign: its lock, its signals, and what it says when storage fails."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from storage.location import Location
from terminal.command_line import complain
from tuner import lease
from tuner.again import PROGRAM, go_on
from tuner.lock import BusyError, Lock, NoLocksError
from tuner.search import Search

FAILED = 1
INTERRUPTION, INTERRUPTED = "interrupted", 130  # as a reason, and as an exit code


@contextmanager
def interruptible(campaign: Search) -> Iterator[None]:
    """The first SIGINT or SIGTERM asks all trials for checkpoints and ends the campaign; a second one ends at once."""

    def on_signal(number: int, frame: Any) -> None:
        if campaign.stopping == INTERRUPTION:
            os._exit(INTERRUPTED)  # local Ray processes end with their driver
        campaign.stopping = ""
        campaign.stop(INTERRUPTION)

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def only_driver(folder: Location) -> Iterator[None]:
    """Hold the campaign: two drivers would overwrite each other's rows. A BusyError where another process does."""
    lock = Lock(folder, _give_up) if isinstance(folder, Path) else None
    try:
        if lock is not None:
            lock.take()
    except NoLocksError as error:
        complain(
            PROGRAM,
            f"note: the file system of {folder} has no locks ({error}): {lease.NAME} says that this process drives the "
            f"campaign, and whoever goes on after a kill -9 first waits {lease.WATCH_SECONDS:g} s",
        )
        lock = None
    except BusyError:
        raise BusyError(f"campaign {folder.name!r} is being run by another process") from None
    except OSError as error:
        raise ValueError(f"the campaign's folder {str(folder)!r} cannot be written: {error.strerror}") from None
    if lock is None:
        with lease.leased(folder, _give_up):
            yield
        return
    try:
        yield
    finally:
        lock.release()


def _give_up(why: str) -> None:
    """Another process has taken the campaign over: write nothing more, and let the trials go. Ray's end with us."""
    complain(PROGRAM, why)
    os._exit(1)


FULL = (errno.ENOSPC, errno.EDQUOT)


class EndedEarlyError(Exception):
    """A campaign that ends before its time; the text is the one line that says why, and how to go on."""

    def __init__(self, line: str, code: int) -> None:
        super().__init__(line)
        self.code = code  # to exit with


@contextmanager
def going_on_with(folder: Location) -> Iterator[None]:
    """Turn what ends the block from outside (storage that fails, Ctrl-C) into a line that says how to go on."""
    try:
        yield
    except OSError as error:
        raise EndedEarlyError(
            f"{storage_failure(error)}; what was written is whole. {go_on(folder)}", FAILED
        ) from error
    except KeyboardInterrupt:
        raise EndedEarlyError(f"{INTERRUPTION}. {go_on(folder)}", INTERRUPTED) from None


def storage_failure(error: OSError) -> str:
    """One line for results that cannot be written.

    What was written stays whole: files are replaced, never changed. A trial whose end was not written is still
    ``running`` in its row, and is trained on from its checkpoint.
    """
    where = f" ({error.filename!r})" if error.filename else ""
    what = "the disk is full" if error.errno in FULL else error.strerror or str(error)
    return f"the results cannot be written: {what}{where}"
