"""Several campaigns as the dict that their page draws: plain JSON, its texts escaped and of limited length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from terminal.counted import counted
from terminal.escape import visible

from results.page.compared_ranges import compared_ranges
from results.page.plain import json_cell, json_number, json_numbers, shown_text
from results.page.reproduce import asked
from results.page.side_by_side import sentence_of_several, unlike
from results.page.table import changed_fields
from results.questions.compare import Campaigns
from results.questions.compare_text import winner_verdict
from results.questions.progression import progression
from results.store.frames import Results
from results.store.row_types import TRIAL_COLUMNS
from results.winner_command import kept_command

MOST_TRIALS = 6000  # of all campaigns together, the best of each ruler: about 3 MB
_ABOUT = {  # a line of the table side by side -> the column of Campaigns.campaigns
    "space": "space", "scale": "scale", "objective": "objective", "budget of a trial": "budget",
    "data": "data_description", "fingerprint of the data": "data", "trials": "trials", "completed": "completed",
    "the base": "base_value", "the lowest": "best_value", "seed of the search": "seed", "device": "device",
    "commit of the code": "code_version",
}  # fmt: skip


@dataclass(frozen=True)
class _Placed:
    """Completed trials that the page shows, of one campaign, best first."""

    campaign: int
    trials: pd.DataFrame  # rows of the campaign, with rank, ruler and why_not_ranked
    results: Results


def comparison_data(found: Campaigns, all_results: Sequence[Results]) -> dict[str, Any]:
    """All that the page of several campaigns shows. ``all_results`` are in the order of ``found.campaigns``."""
    names = [str(name) for name in found.campaigns["campaign"]]
    placed, left_out = _placed(found, all_results, names)
    winners = [_winner(row, results) for row, results in zip(_records(found.winners), all_results, strict=True)]
    return {
        "name": shown_text(" / ".join(names)),
        "verdict": {"sentence": sentence_of_several(found)},
        "campaigns": [
            _campaign(row, results) for row, results in zip(_records(found.campaigns), all_results, strict=True)
        ],
        "about": [[label, [json_cell(value) for value in found.campaigns[column]]] for label, column in _ABOUT.items()],
        "unlike": unlike(found),
        "rulers": [_ruler(number, found, left_out) for number in sorted(found.campaigns["ruler"].unique())],
        "trials": _trials(placed),
        "changes": [changed_fields(one.trials, one.results.campaign) for one in placed],
        "courses": [_course(one.results) for one in placed],
        "winners": winners,
        "noise": [_noise(row, names) for row in _records(found.noise)],
        "knobs": compared_ranges(found.knobs, names, all_results, winners),
        "commands": _commands(names, all_results),
    }


def _records(table: pd.DataFrame) -> list[dict[Any, Any]]:
    return table.to_dict("records")


def _placed(
    found: Campaigns, all_results: Sequence[Results], names: Sequence[str]
) -> tuple[list[_Placed], dict[int, int]]:
    """Pick the trials that are shown, and count those of each ruler that are not."""
    board = found.leaderboard
    most = MOST_TRIALS // max(1, board["ruler"].nunique())
    kept = board.groupby("ruler").head(most)
    left = (board["ruler"].value_counts() - kept["ruler"].value_counts()).astype(int)
    placed = []
    for number, (name, results) in enumerate(zip(names, all_results, strict=True)):
        its = kept.loc[kept["campaign"] == name, ["key", "rank", "ruler", "why_not_ranked", "versus_base"]]
        placed.append(_Placed(number, its.merge(results.trials, on="key", how="left"), results))
    return placed, dict(zip(map(int, left.index.to_list()), map(int, left.to_list()), strict=True))


def _trials(placed: Sequence[_Placed]) -> dict[str, Any]:
    """Collect what pictures and tables need of each trial: those of the first campaign, then the next one's."""
    table = pd.concat([one.trials.assign(campaign_place=one.campaign) for one in placed], ignore_index=True)
    recorded = table["recorded_id"] if "recorded_id" in table else pd.Series(None, index=table.index, dtype=object)
    return {
        "number": json_numbers(table["number"], 12),
        "campaign": json_numbers(table["campaign_place"]),
        "ruler": json_numbers(table["ruler"]),
        "rank": json_numbers(table["rank"]),
        "value": json_numbers(table["value"]),
        "versus": json_numbers(table["versus_base"]),
        "is_base": [found is True or bool(found) for found in table["is_base"].fillna(False)],
        "seed": json_numbers(table["seed"], 12),
        "name": [shown_text(name) if isinstance(name, str) else None for name in recorded],
        "why": [shown_text(why) if isinstance(why, str) else None for why in table["why_not_ranked"]],
    }


def _campaign(row: Mapping[Any, Any], results: Results) -> dict[str, Any]:
    return {
        "name": shown_text(row["campaign"]),
        "question": shown_text(results.campaign.get("question") or ""),
        "ruler": int(row["ruler"]),
        "base": json_number(row["base_value"]),
    }


def _ruler(number: int, found: Campaigns, left_out: Mapping[int, int]) -> dict[str, Any]:
    its = found.campaigns[found.campaigns["ruler"] == number]
    objective = str(its["objective"].iloc[0])
    completed = int((found.leaderboard["ruler"] == number).sum())
    return {
        "campaigns": [int(place) for place in its.index],
        "objective": shown_text(objective.partition(",")[0]),
        "objectives": shown_text(objective),
        "unit": next((column.unit for column in TRIAL_COLUMNS if column.name == objective), ""),
        "about": shown_text(f"{objective}, {its['budget'].iloc[0]}, {counted(completed, 'completed trial')}"),
        "left_out": left_out.get(number, 0),
    }


def _course(results: Results) -> dict[str, Any] | None:
    """The best so far of a campaign against compute; None for a replay, which has no order of its own."""
    if results.campaign.get("recorded") is not None:
        return None
    table = progression(results, "trials")
    better = table[table["is_better"].fillna(False)]
    return {
        "seconds": json_numbers(better["device_seconds"]),
        "trials": json_numbers(better["trials"]),
        "best": json_numbers(better["best"]),
        "number": json_numbers(better["trial"], 12),
        "end": [json_number(table["device_seconds"].max()), json_number(table["trials"].max())],
    }


def _winner(row: Mapping[Any, Any], results: Results) -> dict[str, Any] | None:
    """The winner of a campaign with its command; None where nothing has won, or nothing can."""
    if pd.isna(row["trial"]):
        return None
    kept = kept_command(results)
    return {
        "trial": int(row["trial"]),
        "confirmed": row["confirmed"] is True or bool(row["confirmed"]),
        **{name: json_number(row[name]) for name in ("value", "versus_base", "difference", "low", "high")},
        "said": shown_text(winner_verdict(row)),
        "command": None if kept is None else kept.line,
        "command_heading": "" if kept is None else kept.heading,
    }


def _noise(row: Mapping[Any, Any], names: Sequence[str]) -> dict[str, Any]:
    return {
        "campaign": names.index(row["campaign"]),
        "source": shown_text(row["source"]),
        "size": f"{counted(int(row['configs']), 'config')}, {counted(int(row['runs']), 'run')}"
        + (", paired" if row["paired"] else ""),
        "degrees": json_number(row["degrees_of_freedom"]),
        "smallest": json_number(row["smallest_difference"]),
        **{name: json_number(row[name]) for name in ("sd", "low", "high")},
    }


def _commands(names: Sequence[str], all_results: Sequence[Results]) -> list[list[str]]:
    """Pairs of what a command does and the command, for the campaigns whose question one line can ask again."""
    pairs = [(name, asked(results.campaign)) for name, results in zip(names, all_results, strict=True)]
    return [
        [shown_text(f"Asks the question of {name} again:"), line]
        for name, line in pairs
        if line is not None and line == visible(line)
    ]
