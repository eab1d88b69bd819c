"""A campaign as data frames: those of ``pandas.read_parquet``, by number, with the status as an ordered categorical."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from storage.location import Location, Url
from terminal.counted import counted
from terminal.nearest import no_attribute
from terminal.short import shortened

from results.store.campaign_folder import Store
from results.store.find import find, text_of
from results.store.statuses import SEARCH, STATUSES
from results.tally import tally_of

OTHER_NAMES = {
    "best": "winner",
    "runs": "rows",
    "next": "next_steps",
    "rows": "trials",
}  # that others give to what is here


@dataclass(frozen=True, repr=False)
class Results:
    """All that a campaign's files say at one moment (columns: row_types.py), and campaign.json.

    ``rows`` has every run: those of the search and those after it, on fresh seeds. They are apart in ``trials`` and
    ``confirmations``, so that no run of a confirmation is taken for the best trial.
    """

    campaign: dict[str, Any]
    rows: pd.DataFrame  # a row a run, by number
    reports: pd.DataFrame  # a row a report, in the order in which each run made them
    name: str
    store: Store = field(repr=False)  # that it was read from
    worked_out: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)  # of :meth:`once`

    def __repr__(self) -> str:
        trials, later = self.trials, len(self.confirmations)
        done = f"{int((trials['status'] == 'completed').sum())} completed"
        after = f", {counted(later, 'run')} after the search" if later else ""
        known = counted(tally_of(trials).trials, "trial")
        return f"<{type(self).__name__} {shortened(self.name)}: {known}, {done}{after}>"

    def __getattr__(self, name: str) -> Any:
        """Refuse a name that is none here, with the nearest one that is."""
        raise no_attribute(self, name, OTHER_NAMES)

    @property
    def trials(self) -> pd.DataFrame:
        """The trials of the search or replay."""
        searched = self._searched
        if searched.all():  # a frame of its own, whose cells are copied once they are changed
            return self.rows.reset_index(drop=True)
        return self.rows[searched].reset_index(drop=True)

    @property
    def confirmations(self) -> pd.DataFrame:
        """The runs after the search: those that confirm what it found, and those that take the winner apart."""
        return self.rows[~self._searched].reset_index(drop=True)

    @property
    def _searched(self) -> pd.Series:
        if "stage" not in self.rows:
            return pd.Series(True, index=self.rows.index)
        return self.rows["stage"].fillna(SEARCH) == SEARCH

    def read(self) -> Results:
        """Return itself. A campaign of ``tuner.load`` is read anew by its own ``read``, which gives one of these."""
        return self

    def once(self, name: str, work_out: Callable[[], Any]) -> Any:
        """Return what ``work_out`` makes of these rows and reports, worked out when it is first asked for."""
        told_of = (self.campaign, self.rows, self.reports)
        known, found = self.worked_out.get(name, ((None, None, None), None))
        if any(one is not other for one, other in zip(known, told_of, strict=True)):  # of what this was made of
            found = work_out()
            self.worked_out[name] = told_of, found
        return found

    @cached_property
    def curves(self) -> pd.DataFrame:
        """One row for each name at each kept step of each trial; read when it is first asked for.

        A ValueError where a file cannot be read. Empty of a compacted campaign, which has none.
        """
        found: pd.DataFrame = self.store.curves(self._numbers).to_pandas()
        return found

    def each_curve(self, keys: Collection[str] | None = None) -> Iterator[tuple[str, pa.Table]]:
        """The rows of each of these curves with its trial's key, one at a time; of the trials ``keys`` alone, if given.

        A ValueError as of ``curves``, once all were read.
        """
        return self.store.each_curve(self._numbers, keys)

    @property
    def _numbers(self) -> dict[str, int]:
        return dict(zip(self.rows["key"], self.rows["number"], strict=True))


def load(folder: str | Location) -> Results:
    """Read a campaign, running or finished, by its place, or by its name where it is in ``results/runs``.

    A ValueError where there is none or a file cannot be read. ``results.load`` adds the questions.
    """
    if not isinstance(folder, str | Path | Url):
        raise ValueError(f"{shortened(folder)} is no name, path or URL of a campaign")
    return results_of(Store.open(find(text_of(folder))))


def results_of(store: Store) -> Results:
    """The campaign of a store, as it stands now. A ValueError where a file cannot be read."""
    trials, reports = _frames(list(store.tables()))
    trials["status"] = trials["status"].astype(pd.CategoricalDtype(list(STATUSES), ordered=True))
    if not trials["number"].is_monotonic_increasing:  # else a copy of all of them
        trials = trials.sort_values(["number", "key"], ignore_index=True)
    return Results(store.campaign, trials, reports, store.folder.name, store)


def _frames(tables: list[pa.Table]) -> Iterator[pd.DataFrame]:
    """Convert tables to frames and let each go meanwhile: of ten thousand rows both are large."""
    while tables:
        yield tables.pop(0).to_pandas(self_destruct=True)
    pa.default_memory_pool().release_unused()
