"""A campaign in Python: its rows as data frames, what was found, and a way to go on. Made by tuner/api.py."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from results.statistics.confirmation import Round, rounds, standing
from results.statistics.leaderboard import searched
from results.store.campaign_folder import Store
from results.store.statuses import STATUSES
from results.verdicts import plain_rows, verdict_table
from storage.location import Location
from terminal.counted import counted
from terminal.short import short
from tuner.python.widgets import without_widgets
from tuner.spec import CampaignSpec

if TYPE_CHECKING:
    from search_spaces.space import Space
    from trainable.config import TrainConfig

_TYPES = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}  # whole also where some are null


@dataclass(frozen=True, repr=False)
class Best:
    """The winner that a confirmation has established, or before that the completed trial with the lowest value."""

    trial: int
    objective: str
    value: float
    versus_base: float | None  # of single runs; where it is confirmed, of pairs on fresh seeds
    confirmed: bool
    changes: Mapping[str, Any]  # dotted path -> value, from the base
    row: pd.Series

    @property
    def config(self) -> TrainConfig | dict[str, Any]:
        """The whole config, to train or to search on from; of your own train function, the mapping that it gets."""
        from search_spaces.own_train import OWN
        from trainable.component_json import decode

        kept = json.loads(self.row["config"])
        if kept.get("type") == OWN:
            return {**kept["values"], "seed": kept["seed"], "steps": kept["steps"]}
        found: TrainConfig = decode(kept)
        return found

    def __repr__(self) -> str:
        against = "" if self.versus_base is None else f", {self.versus_base:+.4f} vs base"
        changed = f", {counted(len(self.changes), 'change')}" if self.changes else ", the base"
        return f"<Best: trial {self.trial}, {self.objective} {self.value:.4f}{against}" + (
            f"{changed}{', confirmed' if self.confirmed else ''}>"
        )


class Campaign:
    """One campaign's folder. Everything is read when it is asked for, so that a running one can be watched."""

    def __init__(self, folder: Location, space: Space | None = None) -> None:
        """``space`` is needed to go on, where it is none that its name alone finds."""
        whole = Path(os.path.abspath(folder)) if isinstance(folder, Path) else folder
        self.folder: Location = whole  # also after the current folder has changed
        self._space = space

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def spec(self) -> CampaignSpec:
        """All that it was begun with, as far as it has not been changed since."""
        return CampaignSpec.of_json(Store.open(self.folder).campaign)

    @property
    def trials(self) -> pd.DataFrame:
        """The trials of the search or replay, a row each, sorted by number (columns: results/store/row_types.py)."""
        return searched(self._rows()).reset_index(drop=True)

    @property
    def confirmations(self) -> pd.DataFrame:
        """The runs after the search, on fresh seeds: those that confirm, and those that take the winner apart."""
        rows = self._rows()
        return rows.drop(searched(rows).index).reset_index(drop=True)

    @property
    def reports(self) -> pd.DataFrame:
        """The curves: a row for each report of a trial."""
        return Store.open(self.folder).table("reports").to_pandas(types_mapper=_TYPES.get)

    def best(self) -> Best | None:
        """The best that is known; None while nothing has completed. A ValueError for a campaign of two objectives."""
        spec, rows = self.spec, self._rows()
        if "," in (spec.objective or ""):
            raise ValueError(f"of two objectives ({spec.objective}) no trial is simply the best: see front()")
        tried = searched(rows)
        completed: pd.DataFrame = tried[(tried["status"] == "completed") & tried["value"].notna()]
        if completed.empty:
            return None
        winner = standing(rounds(plain_rows(rows)))
        verdict = None if winner is None else winner.judgement.winner
        if verdict is not None and (arm := completed[completed["key"] == verdict.arm]).size:
            return _best(arm.iloc[0], verdict.difference, confirmed=True)
        row = completed.sort_values(["value", "key"]).iloc[0]
        base = completed[completed["is_base"].fillna(False)]["value"].mean()
        known = not pd.isna(base) and not row["is_base"]
        return _best(row, float(row["value"] - base) if known else None, confirmed=False)

    def front(self) -> pd.DataFrame:
        """The trials that no other one beats in both objectives. A ValueError for a campaign of one."""
        from results.statistics.pareto import front

        objectives = (self.spec.objective or "").split(",")
        if len(objectives) != 2:
            raise ValueError(f"a campaign of one objective ({objectives[0]}) has no front: see best()")
        trials = self.trials
        return trials[front(trials, objectives[1])].reset_index(drop=True)

    def verdicts(self) -> pd.DataFrame:
        """The latest confirmation, a row a candidate, paired with the base on fresh seeds; empty before it begins."""
        rows = plain_rows(self._rows())
        found: list[Round] = rounds(rows)
        return verdict_table(found[-1] if found else None, rows)

    def resume(self, **asked: Any) -> Campaign:
        """Go on with it, as it was begun but for what is ``asked``; see :func:`tuner.search`."""
        with without_widgets():
            from tuner.python.driving import resume_campaign  # what only reads loads nothing that trains

        resume_campaign(self.folder, self._space, asked)
        return self

    def __repr__(self) -> str:
        try:
            return f"<Campaign {self._place()!r}: {self._about()}>"
        except (ValueError, OSError):  # a folder that has gone, or is damaged: whatever reads it says so
            return f"<Campaign {self._place()!r}, which cannot be read>"

    def _place(self) -> str:
        """Its folder, from the current one where it is below that."""
        with suppress(ValueError, OSError):  # it is elsewhere, or the current folder has been removed
            return str(self.folder.relative_to(Path.cwd()) if isinstance(self.folder, Path) else self.folder)
        return str(self.folder)

    def _about(self) -> str:
        spec, trials = self.spec, self.trials
        ended = f"{int((trials['status'] != 'running').sum())} of {counted(spec.trials or 0, 'trial')}"
        best = None if "," in (spec.objective or "") else self.best()
        found = "" if best is None else f", best {best.objective} {short(best.value)} (trial {best.trial})"
        return f"{spec.space}, {ended}{found}"

    def _rows(self) -> pd.DataFrame:
        rows: pd.DataFrame = Store.open(self.folder).table("trials").to_pandas(types_mapper=_TYPES.get)
        rows["status"] = rows["status"].astype(pd.CategoricalDtype(list(STATUSES), ordered=True))
        return rows.sort_values("number", ignore_index=True)


def _best(row: pd.Series, versus_base: float | None, confirmed: bool) -> Best:
    changes = json.loads(row["overrides"])
    return Best(int(row["number"]), str(row["objective"]), float(row["value"]), versus_base, confirmed, changes, row)
