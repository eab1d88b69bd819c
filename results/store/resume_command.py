"""The command that goes on with a campaign, as it is typed into a shell in this process's own folder."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from storage.location import Location, absolute

from results.store.find import RUNS
from results.store.names import is_name

RUN_PROGRAM = "python -m tuner.run"
EXPORT_PROGRAM = "python -m tuner.export"


def resume_command(folder: Location, option: str = "", own_train: bool = False, trusted: bool = False) -> str:
    """The command that goes on with the campaign in ``folder``, with an option, quoted.

    Of a campaign with a train function of the user's own it is a call, which names ``option`` as an argument.
    ``trusted`` says that the user lets the campaign's own code run.
    """
    if own_train:
        name, _, value = option.removeprefix("--").partition(" ")
        argument = f", {name}={value!r}" if value else f", {name}=True" if name else ""
        at = "" if folder.parent == RUNS else f", results={str(folder.parent)!r}"
        return f"tuner.tune(train, space, ..., name={folder.name!r}{at}{argument})"
    line = f"{_resume(folder)}{' --trust-sources' if trusted else ''}"
    return f"{line} {option}" if option else line


def from_anywhere(folder: Location) -> Location:
    """The campaign's place as a command names it that is read later, or elsewhere than where it is made.

    In the usual folder of campaigns its name finds it; in any other one only its whole path does.
    """
    if not isinstance(folder, Path):
        return folder
    place = Path(absolute(folder))
    return RUNS / place.name if str(place.parent) == absolute(RUNS) else place


def _resume(folder: Location) -> str:
    if not isinstance(folder, Path):
        return f"{RUN_PROGRAM} --resume {shlex.quote(str(folder))}"
    if not is_name(folder.name):  # a folder that somebody has named: only its path finds it
        path = str(folder) if folder.is_absolute() else os.path.join(os.curdir, folder)
        return f"{RUN_PROGRAM} --resume {shlex.quote(path)}"
    elsewhere = "" if folder.parent == RUNS else f" --results {shlex.quote(str(folder.parent))}"
    return f"{RUN_PROGRAM} --resume {folder.name}{elsewhere}"
