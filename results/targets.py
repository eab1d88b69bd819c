"""The places that a user names for pages, tables and pictures, checked before anything is read or printed.

A campaign's folder is its own: whatever else is written there could replace its rows or its record.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage import files
from storage.location import Location
from storage.target import check_file_to_write, why_not_writable

from results.store.campaigns import CAMPAIGN


def check_target_file(option: str, where: Location, endings: tuple[str, ...] = ()) -> None:
    """Raise a ValueError unless a file can be written there: the value of ``option``, with one of the ``endings``."""
    if isinstance(where, Path) and where.is_dir():
        raise ValueError(f"{option} {where} is a folder, not a file")
    if endings and not where.name.lower().endswith(endings):
        raise ValueError(f"{option} {where} must end in {' or '.join(endings)}")
    _check_outside_campaigns(option, where)
    if isinstance(where, Path):
        check_file_to_write(option, where)


def check_target_folder(option: str, where: Location) -> None:
    """Raise a ValueError unless files can be written into that folder, which may still have to be made."""
    _check_outside_campaigns(option, where)
    if isinstance(where, Path) and (why := why_not_writable(where)) is not None:
        raise ValueError(f"{option} {where}: {why}")


def check_new_folder(option: str, where: Location) -> None:
    """Raise a ValueError unless a folder that holds nothing yet, or is still to be made, can be written to."""
    check_target_folder(option, where)
    if there := next(iter(files.names(where)), None):
        raise ValueError(f"{option} {where} is not empty: it holds {there!r}; give a new folder")


@contextmanager
def naming(option: str, where: Location) -> Iterator[None]:
    """Make of an OSError in the block a ValueError that names the option and its value."""
    try:
        yield
    except OSError as error:
        raise ValueError(f"{option} {where}: {error.strerror or error}") from None


def _check_outside_campaigns(option: str, where: Location) -> None:
    for folder in _folders(where):
        if files.is_file(folder / CAMPAIGN):
            raise ValueError(
                f"{option} {where} lies in the campaign {folder}, whose files are its own: choose another place"
            )


def _folders(where: Location) -> Iterator[Location]:
    """The place itself and all that it lies in, links followed."""
    place: Location = Path(os.path.realpath(where)) if isinstance(where, Path) else where
    while True:
        yield place
        if place.parent == place or not place.name:
            return
        place = place.parent
