"""Lock of a campaign's one driver on a file system: advisory (``flock``), on ``.lock`` in the campaign's folder.

The kernel lets go of such a lock when its process ends, however that is. But the lock is on the file, not on its name:
where somebody removes ``.lock``, or puts another in its place, a second process could take the new one. So the holder
compares them before each row, and takes the new one itself; where another process was first, it has lost the campaign.

Some file systems have no such locks (Lustre without ``-o flock``, some NFS and FUSE mounts). They are treated like an
object store, which has none either: see campaign/object_store_lock.py.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from storage.inside import GONE
from storage.location import Location
from trainable.data.one_at_a_time import NO_LOCKS

NAME = ".lock"
_OPENING = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK  # no link is followed, no pipe waited for

_held: dict[Location, Lock] = {}  # by this process


class NoLocksError(Exception):
    """The file system has no locks; the text is what it answered."""


class BusyError(ValueError):
    """Error of a campaign that another process holds."""


class Lock:
    """The lock of one campaign. ``on_lost`` is called with a reason once another process holds it."""

    def __init__(self, folder: Path, on_lost: Callable[[str], None]) -> None:
        self.folder, self.path, self.on_lost = folder, folder / NAME, on_lost
        self._file: int | None = None
        self._of: tuple[int, int] | None = None  # the folder that it was taken in

    def take(self) -> None:
        """A BusyError where another process holds it, a NoLocksError where nobody can; an OSError of the folder."""
        while True:
            file = os.open(self.path, os.O_RDWR | os.O_CREAT | _OPENING, 0o644)
            try:
                _flock(file, fcntl.LOCK_EX)
                there = _identity(self.path)
                if there == _identity(file):
                    self._file, self._of = file, _identity(self.folder)
                    _held[self.folder] = self
                    return
            except BaseException:
                os.close(file)
                raise
            os.close(file)  # removed between the two: it guards no name

    def check(self) -> None:
        """See that the campaign is still this process's. An OSError where its folder was renamed or removed."""
        assert self._file is not None, "it is held"
        if _identity(self.folder) != self._of:
            raise FileNotFoundError(errno.ENOENT, GONE, str(self.folder))
        if _identity(self.path) == _identity(self._file):
            return
        before = self._file
        try:
            self.take()  # it was removed
        except BusyError:
            self.on_lost(f"another process drives campaign {self.folder.name!r} now: its {NAME} was removed")
            raise
        os.close(before)

    def release(self) -> None:
        """Give the lock up at once. Its file stays: were it removed, two could hold one each."""
        _held.pop(self.folder, None)
        if self._file is not None:
            with suppress(OSError):
                os.close(self._file)
            self._file = None


def check(folder: Location) -> None:
    """See that what this process drives is still its own; nothing where it holds no lock there."""
    if folder in _held:
        _held[folder].check()


def is_held(folder: Path) -> bool:
    """Tell whether a process holds the lock; also over a network file system that carries locks (NFS 4).

    A NoLocksError where the file system has none.
    """
    try:
        file = os.open(folder / NAME, os.O_RDONLY | _OPENING)
    except OSError:
        return False
    try:
        _flock(file, fcntl.LOCK_SH)
    except BusyError:
        return True
    finally:
        os.close(file)  # lets go of what was just taken
    return False


def _flock(file: int, kind: int) -> None:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in NO_LOCKS:
            raise NoLocksError(error.strerror or str(error)) from None
        if error.errno in (errno.EAGAIN, errno.EACCES):
            raise BusyError("another process holds it") from None
        raise


def _identity(of: Path | int) -> tuple[int, int] | None:
    """The device and number of a file, None where there is none."""
    try:
        found = os.stat(of) if isinstance(of, int) else os.stat(of, follow_symlinks=of.name != NAME)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_dev, found.st_ino
