"""Lock that lets one process at a time prepare a thing in the cache: advisory (``flock``), on a file beside it.

The kernel lets go of it when its process ends, however that is. Its file is removed with it; whoever waited on that
file finds that it is gone, and takes the lock of a new one. Some file systems have no such locks (Lustre without
``-o flock``, some NFS and FUSE mounts). There two may prepare the same thing at once, each in a folder of its own; a
lock file that merely exists would outlive a process that was killed.
"""

from __future__ import annotations

import errno
import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

NO_LOCKS = (errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOLCK)  # of flock: there are none here


@contextmanager
def one_at_a_time(cache: Path, name: str, say: Callable[[str], None]) -> Iterator[bool]:
    """Hold the lock of one thing in the cache; False where there are none. A ValueError for a cache not written to."""
    path, held = cache / f"{name}.lock", None
    try:
        cache.mkdir(parents=True, exist_ok=True)
        if (lacks := _no_locks(cache)) is None:
            held = _locked(path, lambda: say(f"waiting for another process that prepares {name}"))
    except OSError as error:
        raise ValueError(f"cannot write to the cache {cache} ({error.strerror}): set TUNER_CACHE") from error
    if lacks is not None:
        say(
            f"the cache {cache} is on a file system that has no locks ({lacks}): processes that prepare {name} at the "
            "same time each do the work; TUNER_CACHE says where else to prepare it"
        )
    try:
        yield held is not None
    finally:
        if held is not None:
            path.unlink(missing_ok=True)  # while it is held: nobody else can have made it anew
            os.close(held)


def _locked(path: Path, waiting: Callable[[], None]) -> int:
    """The descriptor of the locked file that is at ``path``; ``waiting`` is called once where another holds it."""
    said = False
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if not said:
                    waiting()
                said = True
                fcntl.flock(file, fcntl.LOCK_EX)
            if _is_at(file, path):
                return file
        except BaseException:
            os.close(file)
            raise
        os.close(file)


def _is_at(file: int, path: Path) -> bool:
    """Tell whether an open file is the one at ``path``, which another may have removed meanwhile."""
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


def _no_locks(cache: Path) -> str | None:
    """The answer of a file system that has no locks; asked of a file of its own, before one stays in the cache."""
    with tempfile.TemporaryFile(dir=cache) as file:
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
            return error.strerror
    return None
