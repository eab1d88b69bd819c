"""Changing what lies below a folder of ours: a campaign's, or the one that campaigns are kept in. Nothing else does.

A campaign's folder is carried about, and may come from anybody. A symbolic link in it, in the place of one of its
folders, would lead a write or a removal anywhere. So each change names the folder and the path below it, looks at every
folder on the way, and follows no link there. The folder itself may be reached by one: that is its owner's.

The folder is never made here (``files.create_folder`` does that): one that is renamed or removed under a running search
is noticed by the next change, and nothing appears in its old place.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import tempfile
import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pyarrow as pa

from storage import files, remote
from storage.location import Location

GONE = "the folder is no longer there: it was renamed or removed"
_TEMPORARY = re.compile(r"\.(.+)\.[0-9a-f]{8}")  # a file on its way to its name, or left by a writer that was killed
TABLE = ".parquet"
A_FILE, A_FOLDER = "a file", "a folder"
_KINDS = (
    (stat.S_ISLNK, "a link"),
    (stat.S_ISDIR, A_FOLDER),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISREG, A_FILE),
)


def write(folder: Location, name: str, content: bytes, *, durable: bool = True) -> None:
    """Write a whole file or leave the old one as it is, whatever happens meanwhile. Folders on the way are made.

    Not ``durable``: a power cut may leave an empty file or none, where a kill -9 still leaves the old or the new one.
    An OSError where the folder is gone, and where the way leads through a link or to anything but a file.
    """
    if not isinstance(folder, Path):
        remote.write(folder / name, content)
        return
    with replacing(folder, name, durable=durable) as temporary:
        temporary.write_bytes(content)


def append(folder: Path, name: str, content: bytes, *, durable: bool = True) -> None:
    """Add to the end of a file that is there; where that fails, what was there stays as it is.

    A kill -9 in the middle leaves a part of ``content`` behind what was there, and so may a power cut of what is not
    ``durable`` yet: the reader must tell.
    """
    path = _place(folder, name)
    _check_file(path)
    file = os.open(path, os.O_WRONLY | os.O_APPEND)
    try:
        size = os.fstat(file).st_size
        try:
            left = memoryview(content)
            while left:
                left = left[os.write(file, left) :]
            if durable:
                os.fsync(file)
        except BaseException:
            with suppress(OSError):
                os.ftruncate(file, size)
            raise
    finally:
        os.close(file)


def sync(folder: Location, name: str) -> None:
    """Make a file durable as it is now, with all that was appended to it. In an object store each is."""
    if not isinstance(folder, Path):
        return
    file = os.open(_place(folder, name), os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def sync_names(folder: Path, name: str) -> None:
    """Make durable which files the folder ``name`` ("" is the folder itself) holds: after a power cut too it has those
    that were put there.
    """
    file = os.open(_place(folder, f"{name}/-" if name else "-").parent, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


@contextmanager
def replacing(folder: Location, name: str, *, durable: bool = True) -> Iterator[Path]:
    """A local file to be written in the block; at its end it takes the place of the one called ``name``."""
    if not isinstance(folder, Path):
        with tempfile.TemporaryDirectory() as own:
            local = Path(own) / "file"
            yield local
            with pa.memory_map(str(local)) as file:
                remote.write(folder / name, file.read_buffer())
        return
    path = _place(folder, name, make=True)
    _check_file(path)
    # Hosts that share a folder share no process ids.
    temporary = _on_its_way(folder, name).with_name(f"{_on_its_way(folder, name).name}.{uuid.uuid4().hex[:8]}")
    try:
        yield temporary
        if durable:
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def new_file(folder: Path, name: str) -> int:
    """The descriptor of an empty file, in place of an older one; to be written by what cannot wait for its end."""
    path = _place(folder, name, make=True)
    _check_file(path)
    path.unlink(missing_ok=True)  # not emptied: it may have another name elsewhere
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)


def rename(folder: Location, name: str, new_name: str) -> None:
    """Give a file another path below the folder, at which nothing is yet."""
    if not isinstance(folder, Path):
        remote.write(folder / new_name, remote.read(folder / name))
        remote.remove(folder / name)
        return
    path = _place(folder, name)
    _check_file(path)
    os.rename(path, _place(folder, new_name, make=True))


def remove(folder: Location, name: str) -> None:
    """Remove a file, if it is there."""
    if not isinstance(folder, Path):
        remote.remove(folder / name)
        return
    with suppress(FileNotFoundError):
        path = _place(folder, name)
        _check_file(path)
        path.unlink()


def remove_files(folder: Location, name: str, ours: Callable[[str], bool]) -> None:
    """Remove from the folder ``name`` the files whose names are ``ours``, and that folder where it is then empty.

    As far as that is possible: another process may be writing there. What else lies in it stays.
    """
    if not isinstance(folder, Path):
        _remove_objects(folder / name, ours)
        return
    try:
        inner = _place(folder, f"{name}/-").parent
        found = os.listdir(inner)
    except FileNotFoundError:
        return
    for file in found:
        whole = _TEMPORARY.fullmatch(file)
        if ours(whole[1] if whole else file) and stat.S_ISREG(_mode(inner / file)):
            with suppress(OSError):
                (inner / file).unlink()
    with suppress(OSError):
        inner.rmdir()


@contextmanager
def filling(folder: Location, names: Collection[str]) -> Iterator[None]:
    """Make a folder, if it is not there, to be filled with the files ``names`` in the block.

    Where an OSError ends that (a disk is full), what was written is removed, and the folder if it was made here.
    """
    made = False
    try:
        made = files.create_folder(folder)
        yield
    except OSError:
        for parent in sorted({name.rpartition("/")[0] for name in names} - {""}):
            remove_files(folder, parent, {name.removeprefix(f"{parent}/") for name in names}.__contains__)
        for name in names:
            with suppress(OSError):
                remove(folder, name)
        if made and isinstance(folder, Path):
            with suppress(OSError):
                folder.rmdir()
        raise


def remove_half_written(folder: Location, name: str, ours: Callable[[str], bool]) -> None:
    """Remove from the folder ``name`` ("" is the folder itself) what killed writers left of files that are ``ours``.

    For whoever alone writes these. An object store keeps no object of which only a part was written.
    """
    if not isinstance(folder, Path):
        return
    try:
        inner = _place(folder, f"{name}/-" if name else "-").parent
        found = os.listdir(inner)
    except FileNotFoundError:
        return
    for file in found:
        whole = _TEMPORARY.fullmatch(file)
        if whole and ours(whole[1]) and stat.S_ISREG(_mode(inner / file)):
            (inner / file).unlink(missing_ok=True)


def _remove_objects(folder: Location, ours: Callable[[str], bool]) -> None:
    assert not isinstance(folder, Path)
    found = remote.names(folder)
    if all(map(ours, found)):
        remote.remove(folder, folder=True)  # in one request
        return
    for file in filter(ours, found):
        remote.remove(folder / file)


def check_plain(
    folder: Location, but: Collection[str] = (), kinds: Callable[[str], str | None] = lambda path: None
) -> None:
    """Raise a ValueError, one line, for the first entry of a folder that is neither file nor folder (a link, a pipe),
    and for a file where ``kinds`` says of that path that it is a folder, and the reverse.

    Asked before a campaign is gone on with. ``but`` are paths below the folder that may be anything.
    """
    if not isinstance(folder, Path):
        return
    for found, kind in _all_below(folder):
        path = found.relative_to(folder).as_posix()
        if path in but:
            continue
        if kind not in (A_FILE, A_FOLDER):
            raise ValueError(
                f"{found} is {kind}: a campaign's folder holds only files and folders of its own, and "
                "nothing was changed; put what it stands for in its place, or remove it"
            )
        if (wanted := kinds(path)) not in (None, kind):
            raise ValueError(
                f"{found} is {kind}, but a campaign has {wanted} of that name: nothing was changed; move it elsewhere"
            )


def _all_below(folder: Path) -> Iterator[tuple[Path, str]]:
    """Each path below a folder, and its kind. A folder is asked for its members after what was found of itself."""
    waiting = [folder]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(Path(entry.path))
                    yield Path(entry.path), A_FOLDER
                elif entry.is_file(follow_symlinks=False):
                    yield Path(entry.path), A_FILE
                else:
                    yield Path(entry.path), _kind(_mode(Path(entry.path)))


def _place(folder: Path, name: str, make: bool = False) -> Path:
    """The path of ``name`` below the folder. An OSError where it is gone, or something on the way is no folder."""
    parts = name.split("/")
    if any(part in ("", ".", "..") or "\0" in part for part in parts):
        raise ValueError(f"{name!r} is no path below {folder}")
    if not folder.is_dir():
        raise FileNotFoundError(errno.ENOENT, GONE, str(folder))
    inner = folder
    for part in parts[:-1]:
        inner = inner / part
        if make:
            with suppress(FileExistsError):
                inner.mkdir()
        if not stat.S_ISDIR(mode := _mode(inner)):
            raise NotADirectoryError(errno.ENOTDIR, f"{_kind(mode)} lies where a campaign has a folder", str(inner))
    return inner / parts[-1]


def _on_its_way(folder: Path, name: str) -> Path:
    """The path, without its end, of a file on its way to its name: hidden beside it.

    That of a table lies in ``folder`` itself, under its whole path with dots: polars and DuckDB read every file that a
    data set's folder has, hidden ones too.
    """
    path = folder / name
    return folder / f".{name.replace('/', '.')}" if path.suffix == TABLE else path.with_name(f".{path.name}")


def _check_file(path: Path) -> None:
    """An OSError where something else than a file is at that path."""
    with suppress(FileNotFoundError):
        if not stat.S_ISREG(mode := _mode(path)):
            raise OSError(errno.EINVAL, f"{_kind(mode)} lies where a campaign has a file", str(path))


def _mode(path: Path) -> int:
    return path.lstat().st_mode


def _kind(mode: int) -> str:
    return next((name for is_one, name in _KINDS if is_one(mode)), "a device")
