"""Training curves as a table that can be plotted: a row for each kept step of each trial, a column for each name."""

from __future__ import annotations

import pandas as pd

_AT = ["number", "step"]


def wide_curves(curves: pd.DataFrame) -> pd.DataFrame:
    """Set the curves out wide: the rows of ``curves`` (``load(...).curves``) with a column for each name that occurs:
    ``number`` (of the trial), ``step``, ``tokens``, ``loss``, ``gradient_norm``, ``learning_rate.GROUP``, ...

    Sorted by number and step; a name that a trial does not have is NaN there. Units are in ``curves``.
    """
    names = list(dict.fromkeys(curves["name"].astype(object)))  # in the order of the files
    first = curves.drop_duplicates(_AT)[[*_AT, "tokens"]].set_index(_AT)
    columns = curves[[*_AT, "name", "value"]].astype({"name": object}).pivot(index=_AT, columns="name", values="value")
    found = first.join(columns[names].rename_axis(columns=None)) if names else first
    return found.sort_index().reset_index()
