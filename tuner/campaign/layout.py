"""Layout of a campaign's folder: which names are files, and which are folders.

A folder that is carried about may have anything under these names. It is checked before a campaign is begun or resumed
in it: later a folder in a file's place would end the search when that file's turn comes. Other names are left alone.
"""

from __future__ import annotations

import re
from types import ModuleType

from results.page import PAGE
from results.store.campaigns import CAMPAIGN
from results.store.row_kinds import ROW_KINDS
from results.store.row_log import ROW_LOG
from results.store.set_aside import DAMAGED
from storage import inside
from storage.inside import A_FILE, A_FOLDER
from storage.location import Location
from trainable.own import source as own_source
from trainable.worker import attempt, kept_weights, watchdog
from trainable.worker.attempt import STOP_FILE
from tuner.campaign import lock, object_store_lock
from tuner.campaign.journal_files import JOURNAL, JOURNAL_BEFORE, JOURNAL_LOCK
from tuner.campaign.tensorboard_folder import TENSORBOARD
from tuner.campaign.trial_files import ERRORS

_FILES = {CAMPAIGN, ROW_LOG, PAGE, STOP_FILE, lock.NAME, object_store_lock.NAME, JOURNAL, JOURNAL_BEFORE}
_FOLDERS = {*ROW_KINDS, attempt.FOLDER, ERRORS, watchdog.FOLDER, object_store_lock.CLAIMS, own_source.FOLDER}
_FOLDERS |= {DAMAGED, TENSORBOARD, kept_weights.FOLDER}
_BELOW: dict[str, re.Pattern[str]] = {  # what the names of the files in a folder of ours are like
    **{dataset: re.compile(r".*\.parquet") for dataset in ROW_KINDS},
    ERRORS: re.compile(r".*\.txt"),
    watchdog.FOLDER: re.compile(r".*\.txt"),
    object_store_lock.CLAIMS: re.compile(r".*"),
}


def check(folder: Location) -> None:
    """Raise a ValueError, one line, for what no campaign's folder may hold: links, pipes, a folder for a file."""
    inside.check_plain(folder, but=[JOURNAL_LOCK], kinds=kind)


def kind(path: str) -> str | None:
    """Return the kind (file or folder) of a path below a campaign's folder; None for a name that is not ours."""
    parts = path.split("/")
    if len(parts) == 1:
        return A_FILE if path in _FILES else A_FOLDER if path in _FOLDERS else None
    if parts[0] in (attempt.FOLDER, kept_weights.FOLDER):
        return _of_trials(parts[1:], attempt if parts[0] == attempt.FOLDER else kept_weights)
    if parts[0] == own_source.FOLDER:  # modules, and packages of them
        return A_FILE if path.endswith(".py") else A_FOLDER
    ours = _BELOW.get(parts[0])
    return A_FILE if ours is not None and len(parts) == 2 and ours.fullmatch(parts[1]) else None


def _of_trials(parts: list[str], owner: ModuleType) -> str | None:
    """Return the kind of a path in a folder that has one of its own for each trial, whose files ``owner`` names."""
    if not attempt.is_key(parts[0]):
        return None
    if len(parts) == 1:
        return A_FOLDER
    return A_FILE if len(parts) == 2 and owner.is_ours(parts[1]) else None
