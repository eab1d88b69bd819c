"""A file or folder of this machine that a user names to be written: checked before anything is read or trained."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path


def check_file_to_write(option: str, where: Path) -> None:
    """Raise a ValueError, with the option, unless a regular file is there or can be made in a folder that is there."""
    folder = where.absolute().parent
    try:
        mode = where.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        mode = None
    except OSError as error:  # a name that is too long, a loop of links
        raise ValueError(f"{option} {where}: {error.strerror or error}") from None
    if mode is None and not folder.is_dir():
        raise ValueError(f"{option} {where}: there is no folder {folder}")
    if mode is not None and stat.S_ISDIR(mode):
        raise ValueError(f"{option} {where} is a folder, not a file")
    if mode is not None and not stat.S_ISREG(mode):
        raise ValueError(f"{option} {where} is a device, a pipe or a socket, not a file")
    if mode is not None and not os.access(where, os.W_OK):
        raise ValueError(f"{option} {where}: you may not write there")
    if mode is None and (why := why_not_writable(folder)) is not None:
        raise ValueError(f"{option} {where}: {why}")


def why_not_writable(folder: Path) -> str | None:
    """Say why nothing can be written into a folder, which may still have to be made; None where it can.

    Rights alone do not tell: root has all of them in /proc and on a disk that is read-only. So a file without a name
    is made where the folder is or is to be, and nothing of it is left.
    """
    there = next(place for place in (folder.absolute(), *folder.absolute().parents) if os.path.lexists(place))
    if not there.is_dir():
        return f"{there} is no folder"
    if not os.access(there, os.W_OK | os.X_OK):
        return f"{there} may not be written"
    try:
        tempfile.TemporaryFile(dir=there).close()
    except OSError:
        return f"no file can be made in {there}"
    return None
