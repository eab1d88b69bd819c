"""Lock that lets one process at a time prepare a thing in the cache: advisory (``flock``), on a file beside it.

The kernel lets go of it when its process ends, however that is. Its file is removed with it; whoever waited on that
file finds that it is gone, and takes the lock of a new one. Some file systems have no such locks (Lustre without
``-o flock``, some NFS and FUSE mounts). There two may prepare the same thing at once, each in a folder of its own; a
lock file that merely exists would outlive a process that was killed.
"""

from __future__ import annotations

import errno
import fcntl
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from trainable.data.new_folder import made_folder

NO_LOCKS = (errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOLCK)  # of flock: there are none here


@contextmanager
def one_at_a_time(cache: Path, name: str, say: Callable[[str], None]) -> Iterator[bool]:
    """Hold the lock of one thing in the cache; False where there are none. A ValueError for a cache not written to."""
    with ExitStack() as stack:
        try:
            stack.enter_context(made_folder(cache))
            lacks = _no_locks(cache)
            if lacks is None:
                stack.enter_context(_held(cache / f"{name}.lock", name, say))
        except OSError as error:
            raise ValueError(f"cannot write to the cache {cache} ({error.strerror}): set TUNER_CACHE") from error
        if lacks is not None:
            say(
                f"the cache {cache} is on a file system that has no locks ({lacks}): processes that prepare {name} at "
                "the same time each do the work; TUNER_CACHE says where else to prepare it"
            )
        yield lacks is None


@contextmanager
def _held(path: Path, name: str, say: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock of a file. An OSError where it cannot be written."""
    from filelock import FileLock, Timeout

    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say(f"waiting for another process that prepares {name}")
        lock.acquire()
    try:
        yield
    finally:
        path.unlink(missing_ok=True)  # while it is held: whoever waits for it finds it gone, and makes a new one
        lock.release()


def _no_locks(cache: Path) -> str | None:
    """The answer of a file system that has no locks; asked of a file of its own, since filelock would go on without."""
    with tempfile.TemporaryFile(dir=cache) as file:
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
            return error.strerror
    return None
