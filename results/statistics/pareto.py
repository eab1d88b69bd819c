"""Two objectives at once: which trials no other one beats."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def front(trials: pd.DataFrame, second: str) -> pd.Series:
    """Tell of each trial whether it lies on the Pareto front of ``value`` and ``second``, both minimised (boolean).

    A completed trial does unless another is at least as good in both and better in one; so do equals of one that does.
    A trial without both values does not.
    """
    import pandas as pd

    found = pd.Series(False, index=trials.index)
    known = trials.assign(_second=costs(trials, second))
    known = known[(known["status"] == "completed") & known["value"].notna() & known["_second"].notna()]
    best, equals = float("inf"), (float("nan"), float("nan"))
    for index, value, cost in known.sort_values(["value", "_second"])[["value", "_second"]].itertuples():
        if cost < best or (value, cost) == equals:
            found[index], best, equals = True, cost, (value, cost)
    return found


def costs(trials: pd.DataFrame, name: str) -> pd.Series:
    """A column of the trials, or ``step_seconds``: train seconds a step. Null where it was not measured.

    ``train_seconds`` are here those of the run itself, without what its fidelity trained beside it.
    """
    if name == "train_seconds" and "extra_seconds" in trials:
        return trials["train_seconds"] - trials["extra_seconds"].fillna(0.0)
    if name == "step_seconds":
        return trials["train_seconds"] / trials["steps"].astype("Float64").where(trials["steps"] > 0)
    return trials[name]
