"""One line on early stopping, by whatever rule: what it saved, and what it may have cost.

What it may have cost is the chance that a trial which it ended would have ended as the best: by the values that the
completed trials had at the same rung and at their end (results/statistics/predictive_termination.py). It is judged anew
from all rows, with the completed trials of the whole search.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd
from terminal.counted import counted

from results.promotions import promotions_of
from results.statistics.predictive_termination import FEWEST_FINISHED, Extrapolation, order_in_words, orders
from results.store.frames import Results
from results.store.row_parts import on_the_way
from results.tally import tally_of


def stopping_line(results: Results) -> str:
    """Say it in one line; empty where no trial of the search was stopped."""
    trials = results.trials
    begun = trials[["status", "spent", "budget", "rung", "last_value"]].dropna(subset=["spent", "budget"])
    stopped = begun[(begun["status"] == "stopped") & begun["rung"].notna() & begun["last_value"].notna()]
    promoted = promoted_line(trials)
    if stopped.empty:
        return promoted
    saved = float((stopped["budget"] - stopped["spent"]).sum() / begun["budget"].sum())
    of = f"{len(stopped):,} of {counted(tally_of(trials).trials, 'trial')}"
    said = f"Early stopping ended {of} and saved {saved:.0%} of their training. {_cost(results, stopped)}"
    objective = str(trials["objective"].iloc[0])
    if (judged := on_the_way(objective)) != objective:
        said += f" The values of stopped trials are {judged} at their rung, of the weights as they are."
    return f"{said} {promoted}".rstrip()


def _cost(results: Results, stopped: pd.DataFrame) -> str:
    none_is_best, known, told = 1.0, 0, []
    for rung in sorted(map(float, stopped["rung"].unique())):
        there, pairs = stopped[stopped["rung"] == rung], pairs_at(results, rung)
        line = Extrapolation.through(pairs, min((end for _, end in pairs), default=math.inf))
        if (found := orders(pairs)) is not None:
            told.append(order_in_words(rung, found))
        if line is None:
            continue
        known += len(there)
        for value in there["last_value"]:
            none_is_best *= 1 - line.chance(float(value))
    if not known:
        wanted = counted(FEWEST_FINISHED, "completed trial")
        return f"What that may have cost is not known: it takes {wanted} with a value at its rungs."
    whom = "one of these" if known == len(stopped) else f"one of {known} of these"
    whom = "it" if len(stopped) == 1 else whom
    by = "by all that have completed"  # when it was stopped, fewer had: its own line has the chance by those
    chance = f"is {_percent(1 - none_is_best)}, {by}"
    return f"The chance that {whom} would have ended as the best {chance}: {'; '.join(told)}."


def promoted_line(trials: pd.DataFrame) -> str:
    """Say how many stopped trials went on again, and how these stand now; empty where none did."""
    if "promotions" not in trials:
        return ""
    some = trials[trials["promotions"].notna()]
    again = some[[bool(promotions_of({"promotions": kept})) for kept in some["promotions"]]]
    if again.empty:
        return ""
    stand = ", ".join(f"{number} {status}" for status, number in again["status"].value_counts().items() if number)
    line = f"As the evidence turned, {counted(len(again), 'stopped trial')} went on again: {stand}"
    won = again[again["value"].notna() & (again["value"] == trials["value"].min())]
    return f"{line}." if won.empty else f"{line}; trial {won['number'].iloc[0]} among them is the best of all."


def _percent(chance: float) -> str:
    return "under 1 %" if chance < 0.01 else f"{100 * chance:.0f} %"


def pairs_at(results: Results, rung: float) -> Sequence[tuple[float, float]]:
    """The completed trials' values at a rung, each with its end."""
    trials, reports = results.trials, results.reports
    done = trials.loc[(trials["status"] == "completed") & trials["value"].notna(), ["key", "value"]]
    ends = done.set_index("key")["value"]
    if ends.empty:
        return []
    objective = str(trials["objective"].iloc[0])
    measured = "reported_value" if results.campaign.get("own_train") is not None else on_the_way(objective)
    if measured not in reports:  # it is known at the end only
        return []
    there = reports[(reports["milestone"] == rung) & reports["key"].isin(ends.index) & reports[measured].notna()]
    there = there.sort_values("attempt", kind="stable").drop_duplicates("key", keep="last")
    return [(float(value), float(ends[key])) for key, value in zip(there["key"], there[measured], strict=True)]
