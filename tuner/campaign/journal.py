"""``optuna.journal``: the study as optuna-dashboard opens it, a view that the search never reads.

The study that is asked keeps its journal in memory (:class:`Journal` is a backend of Optuna's JournalStorage), and each
of its lines is appended to the file as well. A file that cannot be written, or that is not as it was left (removed,
replaced, a line or a deletion of somebody else's in it), is written anew with the next line, and a note says so; where
that fails too the search goes on without it. On every start the study is made of our rows, so nothing is lost.
"""

from __future__ import annotations

import errno
import json
import os
import stat
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from optuna.storages.journal import BaseJournalBackend

from storage import inside
from tuner.campaign.journal_files import JOURNAL_BEFORE, JOURNAL_LOCK

PACK = 1000  # lines


class Journal(BaseJournalBackend):
    """The lines of a study. ``note`` is told, once for each reason, why the file was written anew or is not there."""

    def __init__(self, file: Path, note: Callable[[str], None]) -> None:
        self.file, self.note = file, note
        self._packed: list[Iterable[str]] = []  # the older lines: they are read again only to be written anew
        self._num_packed = 0
        self._lines: list[str] = []  # the newer ones
        self._left: tuple[int, ...] | None = None  # how the file was left; None: it is to be written
        self._noted: set[str] = set()
        with suppress(OSError):  # no regular file is there, or the folder cannot be written: the first line will say so
            if stat.S_ISREG(os.lstat(file).st_mode):
                os.replace(file, file.with_name(JOURNAL_BEFORE))
        with suppress(OSError):  # of a driver that was killed while an earlier version held it: readers would wait
            file.with_name(JOURNAL_LOCK).unlink()

    def read_logs(self, log_number_from: int) -> Iterable[dict[str, Any]]:
        packed = self._num_packed
        lines = self._lines if log_number_from >= packed else [*self._all_lines()]
        return (json.loads(line) for line in lines[log_number_from - (packed if lines is self._lines else 0) :])

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        new = [json.dumps(log, separators=(",", ":")) for log in logs]
        known = self._has_lines
        self._lines += new
        while len(self._lines) >= 2 * PACK:
            self._pack(PACK)
        self._write(known, new)

    def append_made(self, count: int, lines: Iterable[str]) -> None:
        """Append so many lines, which are made anew whenever they are gone through, and not kept."""
        known = self._has_lines
        self._pack(len(self._lines))
        self._packed.append(lines)
        self._num_packed += count
        self._write(known, lines)

    @property
    def _has_lines(self) -> bool:
        return bool(self._packed or self._lines)

    def _pack(self, count: int) -> None:
        """Keep the first lines of the newer ones compressed."""
        self._packed.append(_Compressed(self._lines[:count]))
        self._num_packed += count
        del self._lines[:count]

    def _write(self, known: bool, new: Iterable[str]) -> None:
        try:
            if not known or not self._appended(new):
                self._write_anew(known)
        except (OSError, ValueError) as error:
            self._left = None
            what = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            self._say(f"{self.file.name}, a view for optuna-dashboard, cannot be written: {what}; the search goes on")

    def _appended(self, lines: Iterable[str]) -> bool:
        """Append the lines if the file is as it was left; return whether that was so."""
        if self._left is None:
            return False
        try:
            handle = os.open(self.file, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ELOOP, errno.EISDIR, errno.ENXIO):  # gone, or something else by now
                return False
            raise
        with os.fdopen(handle, "ab") as file:
            if _state(os.fstat(handle)) != self._left:
                return False
            file.write(_content(lines))
            file.flush()
            self._left = _state(os.fstat(handle))
        return True

    def _write_anew(self, known: bool) -> None:
        changed = self._left is not None
        inside.write(self.file.parent, self.file.name, _content(self._all_lines()))
        self._left = _state(os.lstat(self.file))
        if known and changed:
            self._say(f"{self.file.name} was changed or removed by another program: it was written anew")

    def _all_lines(self) -> Iterator[str]:
        for pack in self._packed:
            yield from pack
        yield from self._lines

    def _say(self, text: str) -> None:
        if text not in self._noted:
            self._noted.add(text)
            self.note(text)


class _Compressed:
    """Lines that take a tenth of their room."""

    def __init__(self, lines: list[str]) -> None:
        self._content = zlib.compress("\n".join(lines).encode()) if lines else None

    def __iter__(self) -> Iterator[str]:
        return iter(() if self._content is None else zlib.decompress(self._content).decode().split("\n"))


def _state(found: os.stat_result) -> tuple[int, ...]:
    """Identify a state of the file: it changes when somebody else writes to it or puts another in its place."""
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _content(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()
