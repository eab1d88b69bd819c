"""Guards of the one process that drives a campaign: its lock, its signals, and its words when storage fails."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from results.store.resume_command import RUN_PROGRAM
from storage.location import Location
from terminal import program
from terminal.complaint import complain
from terminal.counted import counted
from terminal.exit_codes import FAILED
from terminal.program import INTERRUPTION, exit_code, handling
from tuner.campaign import object_store_lock
from tuner.campaign.again import go_on
from tuner.campaign.endings import AGAIN, EndedEarlyError, storage_failure
from tuner.campaign.lock import BusyError, Lock, NoLocksError
from tuner.failures import RayDiedError

if TYPE_CHECKING:
    from tuner.search_loop import Search


@contextmanager
def interruptible(campaign: Search, is_shown: bool = False) -> Iterator[None]:
    """The first of HUP, INT and TERM asks all trials for checkpoints and ends the campaign; a second ends at once.

    The first one is answered by a line at once, unless a live display shows it (``is_shown``).
    """

    def on_signal(number: int, frame: FrameType | None) -> None:
        if campaign.stopping == INTERRUPTION:  # local Ray processes end with their driver
            why = "interrupted again: ended without the checkpoints that were awaited"
            program.leave(RUN_PROGRAM, f"{why}. {go_on(campaign.folder)}", exit_code(number))
        running = len(campaign.live)
        campaign.interrupt(number)
        if not is_shown:
            waits = f"waits for the checkpoint{'s' if running != 1 else ''} of {counted(running, 'running trial')}"
            program.say_at_once(program.name(), f"{INTERRUPTION}: stopping{f', {waits}' if running else ''}; {AGAIN}")

    with handling(on_signal):
        yield


@contextmanager
def only_driver(folder: Location) -> Iterator[None]:
    """Hold the campaign: two drivers would overwrite each other's rows. A BusyError where another process does."""
    lock = Lock(folder, _give_up) if isinstance(folder, Path) else None
    try:
        if lock is not None:
            lock.take()
    except NoLocksError as error:
        complain(
            RUN_PROGRAM,
            f"note: the file system of {folder} has no locks ({error}): {object_store_lock.NAME} says that this "
            "process drives the campaign, and whoever goes on after a kill -9 first waits "
            f"{object_store_lock.WATCH_SECONDS:g} s",
        )
        lock = None
    except BusyError:
        raise BusyError(f"campaign {folder.name!r} is being run by another process") from None
    except OSError as error:
        raise ValueError(f"the campaign's folder {str(folder)!r} cannot be written: {error.strerror}") from None
    if lock is None:
        with object_store_lock.leased(folder, _give_up):
            yield
        return
    try:
        yield
    finally:
        lock.release()


def _give_up(why: str) -> None:
    """Write nothing more and let the trials go: another process has taken the campaign over. Ray's end with us."""
    complain(RUN_PROGRAM, why)
    os._exit(1)


@contextmanager
def going_on_with(folder: Location) -> Iterator[None]:
    """Turn what ends the block from outside (storage that fails, a signal) into a line that says how to go on."""
    try:
        yield
    except OSError as error:
        raise EndedEarlyError(
            f"{storage_failure(error)}; what was written is whole. {go_on(folder)}", FAILED
        ) from error
    except KeyboardInterrupt as ended:
        raise EndedEarlyError(f"{INTERRUPTION}. {go_on(folder)}", exit_code(ended)) from None
    except RayDiedError as error:
        raise EndedEarlyError(ray_failure(str(error), folder), FAILED) from error


def ray_failure(why: str, folder: Location) -> str:
    """One line for a Ray that is gone under its driver, and how to go on."""
    return f"Ray has died: {why}; running trials go on from their checkpoints. {go_on(folder)}"
