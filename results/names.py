"""Names that become files: campaign names and trial keys, checked against path traversal, and "did you mean" hints."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from storage.location import Location

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")  # file systems take 255 bytes; temporary names add to it


def nearest(name: str, valid: Iterable[str], what: str) -> str:
    """The end of an error message: the closest valid name, or the list of all of them."""
    names = sorted(valid)
    close = [n for n in names if n.lower() == name.lower()] or difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"valid {what}: {', '.join(names)}" if names else f"there are no {what}"


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
