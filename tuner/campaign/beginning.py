"""Beginning of a campaign: a folder that is its own, made by one process alone, after all that can fail has been tried.

A start that failed, or was interrupted before its first trial, leaves at most a campaign without trials. That one is
begun again under its name where it asks the same question; nobody has to choose another name or clean up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from results.store.campaign_folder import Store
from results.store.campaigns import CAMPAIGN
from results.store.names import campaign_folder
from storage import files
from storage.location import Location
from storage.target import why_not_writable
from tuner.campaign import layout
from tuner.campaign.again import again
from tuner.campaign.driver import only_driver
from tuner.campaign.lock import BusyError, NoLocksError, is_held
from tuner.campaign.record import first_difference


def check_free(results: Location, name: str | None, asked: Mapping[str, Any]) -> None:
    """Raise a ValueError, before anything is spent, where no campaign of that name can ask that; nothing is made."""
    if isinstance(results, Path) and (why := why_not_writable(results)) is not None:
        raise ValueError(f"--results {str(results)!r} cannot be used: {why}")
    if name is None:
        return
    folder = campaign_folder(results, name)
    if isinstance(folder, Path) and _is_driven(folder):
        raise BusyError(f"campaign {folder.name!r} is being run by another process: choose another --name")
    if files.is_file(folder / CAMPAIGN):
        _check_empty(Store.open(folder), asked)


def _is_driven(folder: Path) -> bool:
    """Tell whether a process holds the folder's lock; False where there are no locks: ``folder_for`` then watches."""
    try:
        return is_held(folder)
    except NoLocksError:
        return False


@contextmanager
def folder_for(results: Location, name: str | None, usual: str) -> Iterator[Location]:
    """Hold the folder of a new campaign, as its only driver, for the time of the block.

    It is called ``name``, or without one ``usual``, or what is free beside it. A ValueError for a ``name`` whose folder
    cannot be made or is another process's.
    """
    names = [name] if name is not None else (usual if n == 1 else f"{usual}-{n}" for n in count(1))
    with ExitStack() as held:
        yield next(f for f in (campaign_folder(results, n) for n in names) if _is_held(held, f, name is not None))


def _is_held(held: ExitStack, folder: Location, by_name: bool) -> bool:
    """Take the folder for this process; return False where another one has it.

    A folder that was asked for ``by_name`` is taken, or a ValueError or BusyError says why not.
    """
    try:
        if not files.create_folder(folder) and not by_name:
            return False
        held.enter_context(only_driver(folder))
    except OSError as error:
        raise ValueError(_unwritable(folder, error)) from None
    except BusyError:
        if by_name:
            raise
        return False
    if by_name or not files.is_file(folder / CAMPAIGN):
        return True
    held.close()  # another has begun there, and has ended meanwhile
    return False


def create(folder: Location, record: Mapping[str, Any], knobs: Mapping[str, str]) -> Store:
    """Write down the campaign in a folder that this process holds; a ValueError where it is another's."""
    layout.check(folder)
    anew = files.is_file(folder / CAMPAIGN)
    if anew:
        _check_empty(Store.open(folder), {**record, "knobs": dict(knobs)})
    try:
        return Store.create(folder, record, knobs, anew)
    except OSError as error:
        raise ValueError(_unwritable(folder, error)) from None


def _unwritable(folder: Location, error: OSError) -> str:
    return f"the campaign's folder {str(folder)!r} cannot be written: {error.strerror or error}"


def _check_empty(was: Store, asked: Mapping[str, Any]) -> None:
    taken = f"campaign {was.folder.name!r} exists already"
    instead = f"choose another --name, or go on with: {again(was.folder)}"
    if not was.is_empty:
        raise ValueError(f"{taken}: {instead}")
    if (why := first_difference(was.campaign, asked)) is not None:
        raise ValueError(f"{taken}, without trials, and asks something else ({why}): {instead}")
