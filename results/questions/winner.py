"""The trial that has won: that which a confirmation established, before that the completed one of the lowest value."""

from __future__ import annotations

from statistics import fmean
from typing import Any

import pandas as pd

from results.questions.framed import COUNT, NUMBER, WORDS, YES_NO, changes_of, changes_text, framed, objectives_of
from results.questions.readable import Readable
from results.statistics.confirmation import rounds, standing
from results.verdicts import plain_rows

_TYPES = {
    "trial": COUNT, "key": WORDS, "value": NUMBER, "versus_base": NUMBER, "low": NUMBER, "high": NUMBER,
    "confirmed": YES_NO, "changes": WORDS,
}  # fmt: skip


def winner(campaign: Readable) -> pd.DataFrame:
    """Which trial has won, and is that confirmed? One row, or none while nothing has completed.

    A ValueError for a campaign of two objectives: its best are a front.

    - ``trial`` (its number), ``key``, ``value``: the objective in the search (in its unit)
    - ``confirmed``: whether a confirmation on fresh seeds established that it is better than the base
    - ``versus_base``: value minus the base's (unit of the objective): where confirmed, of pairs on fresh seeds, with
      the 95 % interval ``low`` to ``high``; else of single runs, and null without a base
    - ``changes`` from the base, as ``path=value``
    """
    results = campaign.read()
    objectives = objectives_of(results)
    if len(objectives) > 1:
        raise ValueError(f"of two objectives ({','.join(objectives)}) no trial is simply the best: ask for their front")
    trials = results.trials
    completed = trials[(trials["status"] == "completed") & trials["value"].notna()].sort_values(["value", "key"])
    runs = completed.to_dict("records")
    if not runs:
        return framed([], _TYPES)
    stands = standing(rounds(plain_rows(results.rows)))
    verdict = None if stands is None else stands.judgement.winner
    row = next((run for run in runs if verdict is not None and run["key"] == verdict.arm), runs[0])
    found = {"trial": row["number"], "key": row["key"], "value": row["value"], "changes": changes_text(changes_of(row))}
    if verdict is not None and row["key"] == verdict.arm:
        assert verdict.difference is not None and verdict.half_width is not None, "it is established"
        low, high = verdict.difference - verdict.half_width, verdict.difference + verdict.half_width
        known: dict[str, Any] = {"confirmed": True, "versus_base": verdict.difference, "low": low, "high": high}
    else:
        bases = [run["value"] for run in runs if run["is_base"] is True]
        versus_base = row["value"] - fmean(bases) if bases and row["is_base"] is not True else None
        known = {"confirmed": False, "versus_base": versus_base}
    return framed([{**found, **known}], _TYPES)
