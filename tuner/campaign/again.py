"""The command that goes on with a campaign, made from its folder. Whatever prints a way to go on takes it from here, so
that a line which is copied into the same shell finds the same campaign.
"""

from __future__ import annotations

from pathlib import Path

from results.store.resume_command import RUN_PROGRAM, resume_command
from storage.location import Location

TRUSTED: set[str] = set()  # campaigns whose own code the user has let this process run (own/code.py)
OWN_TRAIN: set[str] = set()  # campaigns of this process that train by a function of the user's own (own/train.py)


def again(folder: Location, option: str = "", own_train: bool = False) -> str:
    """The command that goes on with the campaign in ``folder``; see :func:`resume_command`."""
    return resume_command(folder, option, own_train or str(folder) in OWN_TRAIN, str(folder) in TRUSTED)


def go_on(folder: Location) -> str:
    """The end of a line that ends a campaign early: how to go on, also where its folder has been moved away."""
    from results.store.campaigns import CAMPAIGN
    from storage import files

    if isinstance(folder, Path) and not files.is_file(folder / CAMPAIGN):
        return f"{folder} is no longer there. Go on where it is now: {RUN_PROGRAM} --resume PATH"
    return f"Go on with: {again(folder)}"
