"""A home folder for a user who has none: a container's uid without HOME and without an entry in the passwd database.

Ray, torch and Hugging Face look for it as they are imported, so that the package sees to it first.
"""

from __future__ import annotations

import getpass
import os
import stat
import tempfile
from pathlib import Path


def ensure_home() -> None:
    """Set HOME and LOGNAME where nothing says them; a folder of the user's own, kept between commands."""
    if not os.environ.get("HOME", "unset"):  # else "~" would be the root of the disk
        del os.environ["HOME"]
    try:
        Path.home()
    except RuntimeError:
        os.environ["HOME"] = str(_substitute())
    try:
        getpass.getuser()
    except (KeyError, OSError):  # the first up to Python 3.12
        os.environ["LOGNAME"] = f"uid-{os.getuid()}"


def _substitute() -> Path:
    """A folder named after the uid; one of another name where somebody else has taken that."""
    wanted = Path(tempfile.gettempdir()) / f"tuner-home-{os.getuid()}"
    try:
        wanted.mkdir(mode=0o700, exist_ok=True)
        found = wanted.lstat()
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022:
            return wanted
    except OSError:
        pass
    return Path(tempfile.mkdtemp(prefix="tuner-home-"))
