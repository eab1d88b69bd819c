"""Names that become files: campaign names and trial keys, checked against path traversal."""

from __future__ import annotations

import re

from storage.location import Location

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")  # file systems take 255 bytes; temporary names add to it


def is_name(text: str) -> bool:
    """Whether ``text`` can be a file's name anywhere and stays inside its folder."""
    return _NAME.fullmatch(text) is not None


def check_name(name: str, what: str) -> None:
    """Raise a ValueError unless ``name`` can be a file's name anywhere and stays inside its folder."""
    if not is_name(name):
        rule = "must begin with a letter or digit and hold only letters, digits, '.', '_' and '-', at most 200"
        raise ValueError(f"the {what} {name!r} {rule}")


def campaign_folder(runs: Location, name: str) -> Location:
    """Where the campaign called ``name`` lives below ``runs``; a ValueError for a name that is no plain file name."""
    check_name(name, "campaign name")
    return runs / name
