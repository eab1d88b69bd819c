"""A campaign as data frames: those that ``pandas.read_parquet`` gives, with the status as an ordered categorical."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
from storage.location import Location

from results.store.campaign_folder import Store
from results.store.find import find
from results.store.statuses import STATUSES


@dataclass(frozen=True)
class Results:
    """One row a trial in ``trials``, one a report in ``reports`` (columns: row_types.py), and campaign.json."""

    campaign: dict[str, Any]
    trials: pd.DataFrame
    reports: pd.DataFrame


def load(folder: str | Location) -> Results:
    """Read a campaign, running or finished, by its place, or by its name where it is in ``results/runs``.

    A ValueError where there is none or a file cannot be read.
    """
    store = Store.open(find(folder) if isinstance(folder, str) else folder)
    trials, reports = (table.to_pandas() for table in store.tables())
    trials["status"] = trials["status"].astype(pd.CategoricalDtype(list(STATUSES), ordered=True))
    return Results(store.campaign, trials, reports)
