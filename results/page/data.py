"""A campaign as the dict that its page draws: plain JSON, its texts escaped and of limited length."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from storage.location import Location

from results.curve_notes import curve_notes
from results.curves_read import curves_read
from results.cut_schedules import cut_schedules
from results.limits_text import limited, limited_values, limits_line
from results.page import advice, findings, lines, reproduce
from results.page.confirmed import confirmations
from results.page.knobs import knobs
from results.page.part import ShownPart, shown_part
from results.page.plain import json_number, json_numbers, shown_text
from results.page.replayed import replayed
from results.page.slots import bars_of_slots
from results.page.table import changed_fields, columns
from results.page.transferred import transferred
from results.page.verdict import Sentence, sentence_of
from results.statistics.confirmation import rounds
from results.statistics.leaderboard import counts, leaderboard, searched
from results.statistics.pareto import costs
from results.stopping import stopping_line
from results.store.frames import Results
from results.store.row_parts import on_the_way
from results.store.row_types import TRIAL_COLUMNS
from results.store.statuses import SEARCH, STATUSES
from results.tally import is_untrained, tally_of
from results.verdicts import plain_rows_of, verdict_lines
from results.winner_command import kept_command


def page_data(results: Results, folder: Location) -> dict[str, Any]:
    """All that the page of a campaign shows. Trials are known by their place in the order of numbers, of those that
    it shows (part.py).
    """
    whole, campaign = results.rows, results.campaign
    part = shown_part(results)
    trials = part.results.rows
    places = {int(known): place for place, known in enumerate(trials["number"])}
    rows = plain_rows_of(results)
    found = rounds(rows)
    objective = str(next(iter(whole["objective"].dropna()), campaign.get("objective") or "value"))
    importances = advice.importance_rows(results)
    found_out = sentence_of(results, whole, found)
    return {
        "name": shown_text(folder.name),
        "space": shown_text(campaign.get("space", "")),
        "scale": shown_text(campaign.get("scale", "")),
        "question": shown_text(campaign.get("question", "")),
        "objective": objective,
        "on_the_way": on_the_way(objective),
        "unit": next((column.unit for column in TRIAL_COLUMNS if column.name == objective), ""),
        "objectives": [shown_text(name) for name in campaign.get("objectives") or [objective]],
        "budget": _budget(whole),
        "part": _part(part, results, folder),
        "statuses": list(STATUSES),
        "tally": _tally(results),
        "verdict": found_out.plain(),
        "lines": [shown_text(line) for line in verdict_lines(results)],
        "winner": _winner(results, found_out),
        "base_value": _base_value(whole),
        "progress": findings.progress(results, places),
        "effects": findings.effect_rows(results),
        "importance": importances,
        "first_knobs": advice.first_knobs(importances),
        "trials": _trials(trials, whole, campaign),
        "columns": columns(trials),
        "changes": changed_fields(trials, campaign),
        "knobs": knobs(campaign, trials),
        "curves": lines.courses(trials, part.results.reports, curves_read(results).drawn, on_the_way(objective)),
        "curve_notes": [shown_text(f"{note[0].upper()}{note[1:]}.") for note in curve_notes(results)],
        "limits": shown_text(limits_line(results)),
        "limited": _limited(part.results),
        "stopping": shown_text(stopping_line(results)),
        "rungs": lines.judged_at(campaign, whole, results.reports),
        "at_rungs": lines.at_rungs(trials, part.results.reports, on_the_way(objective)),
        "confirmations": confirmations(found, rows),
        "slots": bars_of_slots(results, places),
        "front": _front(trials, whole, campaign),
        "replay": replayed(results),
        "transfer": transferred(results),
        "inert": _inert(campaign),
        "next": advice.steps(results),
        "commands": reproduce.commands(campaign, folder),
        "reproduce": reproduce.facts(campaign, whole),
    }


def _tally(results: Results) -> dict[str, int]:
    """Count all trials of the search, shown here or not, and the proposals that were never trained."""
    found = tally_of(results.trials)
    return {"trials": found.trials, "proposals": found.proposals}


def _winner(results: Results, sentence: Sentence) -> dict[str, Any] | None:
    """The trial to look at first, and the command that trains it where the search has left one."""
    if sentence.trial is None:
        return None
    kept = kept_command(results)
    known = {} if kept is None else {"command": kept.line, "command_heading": kept.heading}
    return {"trial": sentence.trial, "confirmed": sentence.confirmed, **known}


def _part(part: ShownPart, results: Results, folder: Location) -> dict[str, Any] | None:
    """Say which part of the trials is shown, and how many there are of each kind; None where all are."""
    if not (said := part.said(folder)):
        return None
    return {"said": shown_text(said), "in_short": part.in_short, "trials": part.of, "totals": counts(results.trials)}


def _trials(trials: pd.DataFrame, whole: pd.DataFrame, campaign: Mapping[str, Any]) -> dict[str, Any]:
    """Collect what every plot needs of each trial, in the order of numbers; ranks are those among ``whole``."""
    board = leaderboard(whole[["key", "stage", "status", "is_base", "value", "last_value", "rung"]]).set_index("key")
    ranks, versus = trials["key"].map(board["rank"]), trials["key"].map(board["versus_base"])
    stages = trials["stage"].fillna(SEARCH) if "stage" in trials else pd.Series(SEARCH, index=trials.index)
    return {
        "number": json_numbers(trials["number"], 12),
        "status": [STATUSES.index(status) for status in trials["status"]],
        "stage": [str(stage) for stage in stages],
        "untrained": [is_untrained(*row) for row in zip(trials["status"], trials["config"], strict=True)],
        "is_base": [bool(found) for found in trials["is_base"].fillna(False)],
        "value": json_numbers(trials["value"]),
        "last": json_numbers(trials["last_value"]),
        "rung": json_numbers(trials["rung"]),
        "rank": json_numbers(ranks),
        "versus": json_numbers(versus),
        "cut": json_numbers(cut_schedules(campaign, trials)),  # the end of a schedule that early stopping cut short
    }


def _budget(trials: pd.DataFrame) -> dict[str, Any] | None:
    known = trials[trials["budget"].notna()]
    if known.empty:
        return None
    return {"amount": json_number(known["budget"].mode().iloc[0]), "unit": str(known["budget_unit"].dropna().iloc[0])}


def _base_value(trials: pd.DataFrame) -> float | int | None:
    """The base's value in the search, the mean of several; None where it has not completed."""
    bases = searched(trials)[lambda rows: rows["is_base"].fillna(False).astype(bool) & (rows["status"] == "completed")]
    return json_number(bases["value"].mean())


def _front(trials: pd.DataFrame, whole: pd.DataFrame, campaign: Mapping[str, Any]) -> dict[str, Any] | None:
    objectives = campaign.get("objectives") or []
    if len(objectives) < 2:
        return None
    board = leaderboard(whole, objectives[1]).set_index("key")["front"]
    on_front = [bool(found) for found in trials["key"].map(board).eq(True)]
    return {"name": shown_text(objectives[1]), "costs": json_numbers(costs(trials, objectives[1])), "on": on_front}


def _limited(results: Results) -> list[dict[str, Any]]:
    """Each limited measure with the value of every trial, as text in the order of numbers."""
    limits = limited(results)
    cells = limited_values(limits, plain_rows_of(results))
    return [{"name": shown_text(one.measure), "values": [own[at] for own in cells]} for at, one in enumerate(limits)]


def _inert(campaign: Mapping[str, Any]) -> list[str] | None:
    """Knobs that the audit found to change nothing; None where it did not run."""
    found = campaign.get("inert")
    if isinstance(found, Mapping):
        return [shown_text(f"{name}: {', '.join(paths)}") for name, paths in found.items() if paths]
    return None if found is None else [shown_text(path) for path in found]
