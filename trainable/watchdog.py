"""A trial that hangs is ended by its own process, which first writes down where it hung.

The timer is faulthandler's: a thread without the interpreter's lock, so that it also fires while a kernel, a collective
or a system call never returns. Nothing is measured between machines and no clock is compared, only this one timer set
again at each sign of life.
"""

from __future__ import annotations

import contextlib
import faulthandler
from pathlib import Path
from typing import TextIO


class Watchdog:
    """Ends this process with ``os._exit`` once ``seconds`` pass without :meth:`pat`; the traceback is in ``path``."""

    def __init__(self, path: Path, seconds: float) -> None:
        """An OSError where the file cannot be written. An empty file is left until :meth:`close`."""
        self.path, self.seconds = path, seconds
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: TextIO = path.open("w", encoding="utf-8")

    def pat(self) -> None:
        """There is progress: the time begins anew."""
        faulthandler.dump_traceback_later(self.seconds, file=self._file, exit=True)

    def rest(self) -> None:
        """Nothing is expected of this process until the next :meth:`pat`."""
        faulthandler.cancel_dump_traceback_later()

    def close(self) -> None:
        """The trial has ended."""
        self.rest()
        self._file.close()
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)


def stall_file(folder: Path, key: str) -> Path:
    """Where the watchdog of a trial writes, below the campaign's folder."""
    return folder / "stalls" / f"{key}.txt"
