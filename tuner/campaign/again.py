"""The command that goes on with a campaign, made from its folder. Whatever prints a way to go on takes it from here, so
that a line which is copied into the same shell finds the same campaign.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from results.store.find import RUNS
from results.store.names import is_name
from storage.location import Location

RUN_PROGRAM = "python -m tuner.run"
TRUSTED: set[str] = set()  # campaigns whose own code the user has let this process run (own/code.py)
OWN_TRAIN: set[str] = set()  # campaigns of this process that train by a function of the user's own (own/train.py)


def again(folder: Location, option: str = "", own_train: bool = False) -> str:
    """The command that goes on with the campaign in ``folder``, quoted for a shell in this process's own folder.

    Of a campaign with a train function of the user's own it is a call, which names ``option`` as an argument.
    """
    if own_train or str(folder) in OWN_TRAIN:
        name, _, value = option.removeprefix("--").partition(" ")
        argument = f", {name}={value!r}" if value else f", {name}=True" if name else ""
        at = "" if folder.parent == RUNS else f", results={str(folder.parent)!r}"
        return f"tuner.tune(train, space, ..., name={folder.name!r}{at}{argument})"
    line = f"{_resume(folder)}{' --trust-sources' if str(folder) in TRUSTED else ''}"
    return f"{line} {option}" if option else line


def _resume(folder: Location) -> str:
    if not isinstance(folder, Path):
        return f"{RUN_PROGRAM} --resume {shlex.quote(str(folder))}"
    if not is_name(folder.name):  # a folder that somebody has named: only its path finds it
        path = str(folder) if folder.is_absolute() else os.path.join(os.curdir, folder)
        return f"{RUN_PROGRAM} --resume {shlex.quote(path)}"
    elsewhere = "" if folder.parent == RUNS else f" --results {shlex.quote(str(folder.parent))}"
    return f"{RUN_PROGRAM} --resume {folder.name}{elsewhere}"


def go_on(folder: Location) -> str:
    """The end of a line that ends a campaign early: how to go on, also where its folder has been moved away."""
    from results.store.campaign_folder import CAMPAIGN
    from storage import files

    if isinstance(folder, Path) and not files.is_file(folder / CAMPAIGN):
        return f"{folder} is no longer there. Go on where it is now: {RUN_PROGRAM} --resume PATH"
    return f"Go on with: {again(folder)}"
