"""Findings for a page: the best so far beside random order, and every effect beside the noise of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from terminal.counted import counted
from terminal.short import decimals

from results.page.plain import json_number, json_numbers, shown_text
from results.questions.effects import first_effects
from results.questions.noise import noise
from results.questions.progression import progression_at
from results.statistics.confirmation import rounds
from results.statistics.leaderboard import NOT_ESTABLISHED, STANDS_OUT
from results.store.frames import Results
from results.verdicts import plain_rows_of

MOST_EFFECTS = 24  # drawn; the table below the picture has more
MOST_ROWS = 200
_AXES = {"device_seconds": "device-seconds of training and evaluation", "trials": "trials ended"}


def progress(results: Results, places: Mapping[int, int]) -> dict[str, Any] | None:
    """The best so far against compute, beside the same trials in random order; None for a replay, which has no order
    of its own. Of all trials those that have ``places`` on the page.
    """
    if results.campaign.get("recorded") is not None:
        return None
    by = "device_seconds"
    table = progression_at(results, by, places)
    if table.empty or not table[by].max() > 0:
        by = "trials"
        table = progression_at(results, by, places)
    last = results.trials.set_index("number")["last_value"]
    return {
        "label": _AXES[by],
        "hint": f"The lowest value so far against {_AXES[by]}. Dashed is the mean of the same trials in random orders; "
        "nine of ten orders lie in the band. A search that learns finds its best trials late, so its line lies above: "
        "that is no sign of a bad search. What a search of random configs would have found, it does not say.",
        "spent": json_numbers(table[by]),
        "best": json_numbers(table["best"]),
        "random": json_numbers(table["random_mean"]),
        "low": json_numbers(table["random_low"]),
        "high": json_numbers(table["random_high"]),
        "place": [places[number] for number in table["trial"]],
        "value": json_numbers(table["value"].fillna(table["trial"].map(last).astype(float))),
        "done": [not pd.isna(value) for value in table["value"]],
    }


def effect_rows(results: Results) -> dict[str, Any] | None:
    """Every comparison with its interval, beside what noise alone makes of a single run; None where there is none."""
    table, count = first_effects(results, MOST_ROWS)
    if table.empty:
        return None
    known = noise(results)
    band = None if known.empty else _band(table, float(known["smallest_difference"].iloc[0]))
    said = (
        "No config was run on two seeds, so that nothing tells the noise."
        if band is None
        else f"The grey band is what a single run may differ by from noise alone, {decimals(band)} at the same level "
        f"(noise of {known['source'].iloc[0]})."
    )
    left = max(0, count - MOST_EFFECTS)
    more = f" The {MOST_EFFECTS} most trustworthy are drawn; {left} more are in the table." if left else ""
    rows = [_effect(row) for row in table.to_dict("records")]
    return {
        "hint": f"{_levels(table, _simulated(results))}{said}{_one_run_only(table)}{more}",
        "noise": json_number(band),
        "meanings": _meanings(known_noise=band is not None),
        "drawn": MOST_EFFECTS,
        "left_out": count - len(table),
        "rows": rows,
    }


def _band(table: pd.DataFrame, of_two_runs: float) -> float:
    """Half of the interval of a trial, which leaves the band where its point does; of a replay that of two runs."""
    trials = table[table["kind"].eq("trial") & table["low"].notna()]
    return of_two_runs if trials.empty else float((trials["high"] - trials["low"]).iloc[0]) / 2


def _meanings(known_noise: bool) -> list[list[str]]:
    """The colour and the shape of each finding, and what that means."""
    return [
        ["winner", "circle", "better"],
        ["bad", "circle", "worse"],
        ["soft", "circle", "no more than noise" if known_noise else NOT_ESTABLISHED],
        ["soft", "ring", f"{STANDS_OUT}, one run only"],
    ]


_KINDS = {"confirmation": "candidate", "trial": "trial"}  # those with a level for all of them together


def _simulated(results: Results) -> bool:
    """Tell whether simulated campaigns set the width of the latest confirmation's intervals."""
    found = rounds(plain_rows_of(results))
    return bool(found) and found[-1].design.own_noise


def _levels(table: pd.DataFrame, simulated: bool) -> str:
    """Say at which level the intervals of each kind stand."""
    found = []
    for kind, noun in _KINDS.items():
        levels = table.loc[table["kind"].eq(kind), "confidence"].dropna()
        if len(levels) > 1:
            at = f"each at {100 * levels.max():.4g} %"  # which says nothing where another rule made them wider
            at = "by simulated campaigns without an effect" if simulated and kind == "confirmation" else at
            found.append(f"of {counted(len(levels), noun)} {at}")
    if not found:
        return "Each comparison with its 95 % interval. "
    return f"Each comparison with its interval. Those of a kind hold together in 95 %: {', '.join(found)}. "


def _one_run_only(table: pd.DataFrame) -> str:
    """Explain the rings, where there are any."""
    if not table["finding"].eq(STANDS_OUT).any():
        return ""
    return f" A ring {STANDS_OUT}: its interval leaves out zero, but it is one run. Only fresh seeds can establish it."


def _effect(row: Mapping[Any, Any]) -> dict[str, Any]:
    open_yet = row["finding"] in (NOT_ESTABLISHED, STANDS_OUT)
    colour = "soft" if open_yet else "winner" if row["better"] is True else "bad"
    return {
        "name": shown_text(row["name"] if row["kind"] != "confirmation" else f"trial {row['trial']}, confirmed"),
        "kind": str(row["kind"]),
        "trial": None if pd.isna(row["trial"]) else int(row["trial"]),
        "against": shown_text(row["against"]) if isinstance(row["against"], str) else "",
        "changes": shown_text(row["changes"]) if isinstance(row["changes"], str) else "",
        "middle": json_number(row["difference"]),
        "low": json_number(row["low"]),
        "high": json_number(row["high"]),
        "runs": json_number(row["runs"]),
        "said": shown_text(row["verdict"]),
        "colour": colour,
        "shape": "ring" if row["finding"] == STANDS_OUT else "circle",
    }
