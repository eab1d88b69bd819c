"""A file of this machine that a user names to be written: checked before anything is read, measured or trained."""

from __future__ import annotations

import os
import stat
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
    if not os.access(folder if mode is None else where, os.W_OK):
        raise ValueError(f"{option} {where}: you may not write there")
