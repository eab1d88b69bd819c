"""Names that become files: campaign names and trial keys, checked against path traversal."""

from __future__ import annotations

import re
from typing import Any

from storage.location import Location

EMPTY = "0-empty"  # a part without rows, so that pandas can read a campaign in which nothing has happened yet
TRIALS_A_PART = 256
_PART = re.compile(r"part-(\d{6,17})")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")  # file systems take 255 bytes; temporary names add to it


def is_name(text: str) -> bool:
    """Tell whether ``text`` can be a file's name anywhere and stays inside its folder."""
    return _NAME.fullmatch(text) is not None


def check_name(name: str, what: str) -> None:
    """Raise a ValueError unless ``name`` can be a file's name anywhere and stays inside its folder."""
    if not is_name(name):
        rule = "must begin with a letter or digit and hold only letters, digits, '.', '_' and '-', at most 200"
        raise ValueError(f"the {what} {name!r} {rule}")


def checked_key(key: Any) -> str:
    """The key of a trial that is to be written; a ValueError for anything that cannot be one."""
    if not isinstance(key, str) or key == EMPTY or part_number(key) is not None:
        raise ValueError(f"the trial key {key!r} must be text other than {EMPTY!r} and 'part-000000'")
    check_name(key, "trial key")
    return key


def part_name(part: int) -> str:
    """Name the file of the trials from ``part * TRIALS_A_PART`` on, without its ending."""
    return f"part-{part:06}"


def part_number(name: str) -> int | None:
    """The number of the part that a file's name, without its ending, is of; None for any other name, also for one that
    only looks like it: two files of one part would have each report twice.
    """
    found = _PART.fullmatch(name)
    return None if found is None or part_name(int(found[1])) != name else int(found[1])


def is_part(name: str) -> bool:
    """Tell whether a file in the folder of a data set is one of its parts."""
    return name.endswith(".parquet") and is_name(name.removesuffix(".parquet"))


def campaign_folder(runs: Location, name: str) -> Location:
    """Return the folder of the campaign ``name`` below ``runs``; a ValueError for a name that is no plain file name."""
    check_name(name, "campaign name")
    return runs / name
