"""Finished trials of earlier campaigns, found by their key: the same config, seed and data are the same trial.

Only what ended by itself is taken, and only of the search: a confirmation is trained anew, on seeds that nothing has
seen. A trial that early stopping ended does not say what it would come to. One that was trained to its end and was
beyond a limit, or without a finite objective, was judged by what its campaign asked for: it is judged anew. What a
trial had at rungs is taken where it was measured in the same way (``--fidelity``). What is not taken has a reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import cast

from results.store.campaign_folder import Store
from results.store.row_parts import given, identity_of
from results.store.row_types import NEVER_A_TRIAL, TrialRow
from results.store.statuses import SEARCH, Status
from search_spaces.objectives import COSTS, OBJECTIVES, SCORES_AT_THE_END, cost_of
from search_spaces.space import Space
from storage.location import Location
from terminal.counted import counted
from terminal.short import shortened
from trainable.component import OtherSourceError, without_neutral
from trainable.component_paths import difference
from trainable.config import TrainConfig
from tuner.campaign.finished import ENDED_WITH, Finished
from tuner.campaign.row_config import EarlierVersionError, config_of

FINISHED: tuple[Status, ...] = ("completed", "diverged", "plateaued")
WITHOUT_AN_END = {
    "stopped": "stopped early, so that nothing says what they would come to",
    "crashed": "crashed",
    "infeasible": "never trained, as they were no valid run or beyond a limit that is known beforehand",
}
NOT_ENDED = "not ended"  # running or interrupted


class Library:
    """The finished trials of some campaigns; reports and curves are read when they are asked for."""

    def __init__(self, folders: Sequence[Location], fidelity: str = "truncate") -> None:
        """Raise a ValueError, one line, for a folder that is no campaign or cannot be read.

        ``fidelity`` is that of the campaign that reuses: how values on the way are measured.
        """
        self.fidelity = fidelity
        self._found: dict[str, tuple[Store, TrialRow]] = {}
        self._again: Counter[tuple[str, str]] = Counter()  # campaign, an earlier one -> runs that are the same
        self._bases: list[tuple[Store, TrialRow]] = []
        self.left_out: dict[str, str] = {}  # trials of the search that are not taken, and why
        for folder in folders:
            store = Store.open(folder)
            trials, _ = store.tables()  # what is damaged is said now, and not when its trial has its turn
            store.check_curves()
            for row in cast(list[TrialRow], trials.to_pylist()):
                if (row["stage"] or SEARCH) != SEARCH:
                    continue
                if row["key"] in self._found:
                    first, known = self._found[row["key"]]
                    if identity_of(row) is not None and identity_of(row) == identity_of(known):
                        self._again[folder.name, first.folder.name] += 1
                    continue
                if why := _without_an_end(row) or _other(folder, row):
                    self.left_out[f"{folder.name}:{row['number']}"] = why
                else:
                    self._found[row["key"]] = (store, row)
                    self._bases += [(store, row)] if row["is_base"] else []

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
        return Finished(store.folder.name, _judged_anew(row), reports, store.curve(key))

    def about(self, space: Space, base: TrainConfig, data: str | None) -> list[str]:
        """Say in lines what is there for a search of ``space`` and ``base``, and what is not, with the reasons.

        ``data`` is the fingerprint of its data, where it is known.
        """
        beyond = sum(row["status"] == "infeasible" for _, row in self._found.values())
        said = counted(len(self), "finished trial")
        if beyond:
            said += f", {beyond} of them beyond the limits there, which are held to those of this search"
        reasons = Counter(self.left_out.values())
        reasons.update(why for _, row in self._found.values() if (why := lacking(space, _judged_anew(row))))
        lines = [said]
        if reasons:
            each = [why if len(reasons) == 1 else f"{number} {why}" for why, number in reasons.items()]
            lines.append(f"left out {reasons.total()}: {'; '.join(each)}")
        for (name, first), number in self._again.items():
            lines.append(f"{counted(number, 'run')} of {name} also in {first}: each counts once")
        return lines + [
            line for store, row in self._bases if (line := _of_another_search(store, row, space, base, data))
        ]


def lacking(space: Space, row: TrialRow) -> str:
    """Say what a trial lacks of all that is minimised or limited here, as nobody measured it; empty for nothing."""
    wanted = {*space.objectives, *(limit.measure for limit in space.constraints)}
    wanted &= {*OBJECTIVES, *COSTS, *SCORES_AT_THE_END}
    if row["status"] != "completed":
        return ""
    names = sorted(name for name in wanted if cost_of(name, row) is None)
    return f"without {', '.join(names)}, which this search asks for" if names else ""


def _judged_anew(row: TrialRow) -> TrialRow:
    """The row as that of a training that came to its end, where only what its campaign asked for ended it otherwise."""
    whole = row["status"] == "infeasible" or (row["status"] == "diverged" and _ended_without_value(row))
    return {**row, "status": "completed", "reason": None} if whole else row


def _ended_without_value(row: TrialRow) -> bool:
    return (row["reason"] or "").startswith(ENDED_WITH)


def _without_an_end(row: TrialRow) -> str:
    """Say why a trial has no end of its own; empty where it has one."""
    if row["status"] in FINISHED or (row["status"] == "infeasible" and row["config"] != NEVER_A_TRIAL):
        return ""
    return WITHOUT_AN_END.get(row["status"], NOT_ENDED)


def _of_another_search(store: Store, row: TrialRow, space: Space, base: TrainConfig, data: str | None) -> str:
    """Say why no trial of a campaign can be one of this search, by its base; empty where some can."""
    name, config = store.folder.name, config_of(row)
    if data is not None and row["data"] not in (None, data):
        return f"no trial of {name} is one of this search: its data are others (fingerprint {row['data']}, here {data})"
    assert config is not None, "it has ended"
    searched = [*(knob.path for knob in space.knobs), *store.campaign.get("ranges", {})]
    for path, (there, here) in difference(without_neutral(config), without_neutral(base)).items():
        if path != "data.source" and not any(_touches(knob, path) for knob in searched):
            values = f"{path} is {shortened(there)} there and {shortened(here)} here"
            return f"no trial of {name} is one of this search: {values}"
    return ""


def _touches(knob: str, path: str) -> bool:
    return path == knob or path.startswith(f"{knob}.") or knob.startswith(f"{path}.")


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
