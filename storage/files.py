"""Reading a campaign's files, and making its folder; what changes below it is in ``inside.py``.

A file is only ever replaced whole: a reader sees the old one or the new one, also after a kill -9 of the writer. What
is read must be a file, or a link to one: a pipe would never end. Every failure is an OSError; a file that is not there
is a FileNotFoundError.
"""

from __future__ import annotations

import errno
import os
import stat
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeGuard

from pyarrow.fs import FileType

from storage import remote
from storage.location import Location
from storage.remote import TooLargeError

SIGN_BYTES = 64 * 1024  # of a small file that one of our processes writes for another; ours have a hundred
AT_ONCE = 16  # requests to an object store, where many files are read


def read(path: Location, most_bytes: int | None = None) -> bytes:
    """The content of a file; a TooLargeError for one of more than ``most_bytes``."""
    if not isinstance(path, Path):
        return remote.read(path, most_bytes)
    check_file(path)
    if most_bytes is None:
        return path.read_bytes()
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > most_bytes:
            raise TooLargeError(path, size, most_bytes)
        return file.read(size)


def check_file(path: Path) -> None:
    """An OSError unless there is a file, or a link to one."""
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is a folder" if stat.S_ISDIR(mode) else "it is no file", str(path))


def read_all(paths: Sequence[Location], most_bytes: Sequence[int] | None = None) -> Iterator[bytes | OSError]:
    """The content of each file, or what kept it from being read; of an object store many at a time.

    ``most_bytes`` has the limit of each.
    """
    most: Sequence[int | None] = [None] * len(paths) if most_bytes is None else most_bytes
    if len(paths) < 2 or isinstance(paths[0], Path):
        yield from map(_read_or_error, paths, most)
        return
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from pool.map(_read_or_error, paths, most)


def is_unreachable(content: bytes | OSError) -> TypeGuard[OSError]:
    """Tell whether a store did not hand out an object of :func:`read_all`, which says nothing of the object."""
    return isinstance(content, OSError) and not isinstance(content, TooLargeError)


def _read_or_error(path: Location, most_bytes: int | None) -> bytes | OSError:
    try:
        return read(path, most_bytes)
    except OSError as error:
        return error


@contextmanager
def local_copy(path: Location) -> Iterator[Path]:
    """The file itself where it is of this machine, else a copy for the time of the block."""
    if isinstance(path, Path):
        check_file(path)
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        copy.write_bytes(remote.read(path))
        yield copy


def create_folder(folder: Location) -> bool:
    """Make a folder with those around it; False where there is something of that name, as of two that try at once
    (``mkdir`` is atomic). An object store has no folders: there, whether nothing is at that place yet.
    """
    if not isinstance(folder, Path):
        return not exists(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        folder.mkdir()
    except FileExistsError:
        return False
    return True


def names(folder: Location) -> list[str]:
    """Visible names in a folder, sorted; none where it does not exist. A ValueError where it is anything else."""
    if not isinstance(folder, Path):
        return sorted(name for name in remote.names(folder) if not name.startswith("."))
    if folder.is_dir():
        return sorted(p.name for p in folder.iterdir() if not p.name.startswith("."))
    if os.path.lexists(folder):
        kind = "a file" if folder.is_file() else "a link to nowhere" if not folder.exists() else "no file"
        raise ValueError(f"{folder} is {kind} but must be a folder")
    return []


def exists(path: Location) -> bool:
    """Tell whether there is a file or folder, or a link that points nowhere."""
    return os.path.lexists(path) if isinstance(path, Path) else remote.info(path).type != FileType.NotFound


def is_file(path: Location) -> bool:
    """Tell whether there is a file; False for a name that no file can have."""
    return os.path.isfile(path) if isinstance(path, Path) else remote.info(path).type == FileType.File


def modified(path: Location) -> float:
    """Return when the file was written last, in seconds since 1970; 0 in a store that does not say."""
    if isinstance(path, Path):
        return path.stat().st_mtime
    at = remote.info(path).mtime
    return 0.0 if at is None else at.timestamp()


def check_usable(folder: Location) -> None:
    """Raise a ValueError, one line, for an object store that cannot be reached, written to and read from."""
    if isinstance(folder, Path):
        return
    probe = folder / f".seen-{uuid.uuid4().hex[:8]}"
    try:
        remote.write(probe, b"seen")
        if remote.read(probe) != b"seen":
            raise OSError(f"{probe}: what was written does not come back")
        remote.remove(probe)
    except OSError as error:
        raise ValueError(f"{folder} cannot be used: {error}") from None
