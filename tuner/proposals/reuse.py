"""Finished trials of earlier campaigns, found by their key: the same config, seed and data are the same trial.

Only what ended by itself is taken, and only of the search: a confirmation is trained anew, on seeds that nothing has
seen. A trial that early stopping ended does not say what it would come to, and an infeasible one was judged by the
limits of its campaign. What a trial had at rungs is taken where it was measured in the same way (``--fidelity``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from results.store.campaign_folder import Store
from results.store.row_parts import given
from results.store.row_types import TrialRow
from results.store.statuses import SEARCH, Status
from storage.location import Location
from trainable.component import OtherSourceError
from tuner.campaign.finished import Finished
from tuner.campaign.row_config import EarlierVersionError, config_of

FINISHED: tuple[Status, ...] = ("completed", "diverged", "plateaued")


class Library:
    """The finished trials of some campaigns; reports and curves are read when they are asked for."""

    def __init__(self, folders: Sequence[Location], fidelity: str = "truncate") -> None:
        """Raise a ValueError, one line, for a folder that is no campaign or cannot be read.

        ``fidelity`` is that of the campaign that reuses: how values on the way are measured.
        """
        self.fidelity = fidelity
        self._found: dict[str, tuple[Store, TrialRow]] = {}
        self.left_out: dict[str, str] = {}  # trials whose key is not all that decides their result, and why
        for folder in folders:
            store = Store.open(folder)
            trials, _ = store.tables()  # what is damaged is said now, and not when its trial has its turn
            store.check_curves()
            for row in cast(list[TrialRow], trials.to_pylist()):
                searched = (row["stage"] or SEARCH) == SEARCH
                if searched and row["status"] in FINISHED and row["key"] not in self._found:
                    if why := _other(folder, row):
                        self.left_out[f"{folder.name}:{row['number']}"] = why
                    else:
                        self._found[row["key"]] = (store, row)

    def __len__(self) -> int:
        return len(self._found)

    def get(self, key: str) -> Finished | None:
        """The finished trial with that key, from the first folder that has it."""
        if key not in self._found:
            return None
        store, row = self._found[key]
        reports = store.reports(key, given(row["number"]))
        if store.campaign.get("fidelity", self.fidelity) != self.fidelity:
            reports = [report for report in reports if (report["milestone"] or 0.0) >= given(row["budget"])]
        return Finished(store.folder.name, row, reports, store.curve(key))


def _other(folder: Location, row: TrialRow) -> str:
    """Say why a row cannot be the same training as any here (code of the user's own, precision); empty where it can.

    A ValueError unless the row is of the config that its key is the hash of: it is reused by its key alone.
    """
    try:
        config = config_of(row)
    except OtherSourceError as error:
        return str(error).rpartition("cannot be read: ")[2]
    except EarlierVersionError as error:
        return f"trained by an earlier version, which had no {error.field}"
    except ValueError as error:
        raise ValueError(f"{folder} cannot be reused: {error}") from None
    was = row["precision"]
    if config is None or was in (None, config.number_format):
        return ""
    return f"trained in {was}, which the config of an earlier version does not say"
