"""A trial that hangs is ended by its own process, which first writes down where it hung.

On a disk the timer is faulthandler's: a thread without the interpreter's lock, so that it also fires while a kernel, a
collective or a system call never returns. Nothing is measured between machines and no clock is compared, only this one
timer set again at each sign of life.

An object store is not written to by such a thread. There an ordinary one looks at the time and puts the traceback; a
call that hangs and keeps the interpreter's lock is ended by faulthandler a minute later, without a word: its row then
says that the process was killed.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import re
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from storage import inside
from storage.location import Location

FOLDER = "stalls"
_NAME = re.compile(r"[\w-]+\.a\d+\.txt")
MOST_BYTES = 2**24  # of a report: more than faulthandler writes of its at most 100 threads with 100 frames
GRACE_SECONDS = 60.0  # in which the traceback is put into an object store


class Watchdog:
    """Ends this process with ``os._exit`` once ``seconds`` pass without :meth:`pat`; the traceback is in its file."""

    def __init__(self, campaign: Location, name: str, seconds: float) -> None:
        """An OSError where the file cannot be written. On a disk an empty file is left until :meth:`close`."""
        self.campaign, self.name, self.seconds = campaign, name, seconds
        self._closed = threading.Event()
        self._due: float | None = None
        self._file: int | None = None
        if isinstance(campaign, Path):
            self._file = inside.new_file(campaign, name)
        else:
            threading.Thread(target=self._watch, daemon=True).start()

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Expect progress inside the block, and at no other time."""
        self.pat()
        try:
            yield
        finally:
            self._due = None
            faulthandler.cancel_dump_traceback_later()

    def pat(self) -> None:
        """Note progress: the time begins anew."""
        if self._closed.is_set():
            return
        if self._file is not None:
            faulthandler.dump_traceback_later(self.seconds, file=self._file, exit=True)
        else:
            self._due = time.monotonic() + self.seconds
            faulthandler.dump_traceback_later(self.seconds + GRACE_SECONDS, exit=True)

    def close(self) -> None:
        """The trial has ended."""
        self._closed.set()
        self._due = None
        faulthandler.cancel_dump_traceback_later()
        if self._file is not None:
            os.close(self._file)
            self._file = None
            with contextlib.suppress(OSError):
                inside.remove(self.campaign, self.name)

    def _watch(self) -> None:
        while not self._closed.wait(min(1.0, self.seconds / 4)):
            due = self._due
            if due is not None and time.monotonic() > due:
                with contextlib.suppress(OSError):  # the trial ends all the same
                    said = f"no progress for {self.seconds:g} s\n".encode()
                    inside.write(self.campaign, self.name, said + _tracebacks())
                os._exit(1)


def _tracebacks() -> bytes:
    """Return the traceback of each thread."""
    with tempfile.TemporaryFile() as file:
        faulthandler.dump_traceback(file=file, all_threads=True)
        file.seek(0)
        return file.read(MOST_BYTES // 2)


def stall_file(key: str, attempt: int) -> str:
    """Return the path of a watchdog's file for an attempt at a trial, below the campaign's folder."""
    return f"{FOLDER}/{key}.a{attempt}.txt"


def is_stall_file(name: str) -> bool:
    """Tell whether a file in that folder is one of a watchdog's."""
    return _NAME.fullmatch(name) is not None
