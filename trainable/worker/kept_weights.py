"""Places of the weights that trials leave in a campaign's folder: ``weights/KEY/``, a file of the attempt that ended.

A file is named after the attempt that wrote it, and the row of its trial names the file that counts. So what a node
that was cut off still writes is taken for nobody's, and is removed with all else that no row names. The driver writes
the trial's config beside it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from storage import files, inside
from storage.location import Location

from trainable.worker.attempt import is_key

FOLDER, CONFIG = "weights", "config.json"
_NAME = re.compile(r"a\d+\.safetensors")  # the attempt


def path_of(key: str, attempt: int) -> str:
    """Return where an attempt writes the weights of its trial, relative to the campaign's folder."""
    return f"{FOLDER}/{key}/a{attempt}.safetensors"


def config_path(key: str) -> str:
    """Return where the trial's config lies beside them."""
    return f"{FOLDER}/{key}/{CONFIG}"


def is_ours(name: str) -> bool:
    """Tell whether a file in a trial's folder is its weights or its config."""
    return name == CONFIG or _NAME.fullmatch(name) is not None


def remove(campaign: Location, key: str) -> None:
    """Remove the weights of a trial."""
    inside.remove_files(campaign, f"{FOLDER}/{key}", is_ours)


def remove_unnamed(campaign: Location, named: Mapping[str, str], stays: Callable[[str], bool]) -> None:
    """Remove all weights but those that rows name (key -> path below the campaign's folder); while no trial runs.

    What no trial has written stays, and all of an unnamed trial of which ``stays`` says so.
    """
    for key in filter(is_key, files.names(campaign / FOLDER)):
        if key not in named:
            if not stays(key):
                remove(campaign, key)
            continue
        kept = named[key].rpartition("/")[2]
        inside.remove_half_written(campaign, f"{FOLDER}/{key}", is_ours)
        for name in files.names(campaign / FOLDER / key):
            if is_ours(name) and name not in (kept, CONFIG):
                inside.remove(campaign, f"{FOLDER}/{key}/{name}")
