"""A trial that hangs is ended by its own process, which first writes down where it hung.

The timer is faulthandler's: a thread without the interpreter's lock, so that it also fires while a kernel, a collective
or a system call never returns. Nothing is measured between machines and no clock is compared, only this one timer set
again at each sign of life.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
from collections.abc import Iterator
from pathlib import Path


class Watchdog:
    """Ends this process with ``os._exit`` once ``seconds`` pass without :meth:`pat`; the traceback is in ``path``."""

    def __init__(self, path: Path, seconds: float) -> None:
        """An OSError where the file cannot be written. An empty file is left until :meth:`close`."""
        self.path, self.seconds = path, seconds
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: int | None = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Inside the block progress is expected, and at no other time."""
        self.pat()
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()

    def pat(self) -> None:
        """There is progress: the time begins anew."""
        if self._file is not None:
            faulthandler.dump_traceback_later(self.seconds, file=self._file, exit=True)

    def close(self) -> None:
        """The trial has ended."""
        faulthandler.cancel_dump_traceback_later()
        if self._file is not None:
            os.close(self._file)
            self._file = None
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)


def stall_file(folder: Path, key: str) -> Path:
    """Where the watchdog of a trial writes, below the campaign's folder."""
    return folder / "stalls" / f"{key}.txt"
