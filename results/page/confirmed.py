"""The confirmations of a campaign for a page: every run, paired by seed, with the interval of each candidate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from terminal.counted import counted

from results.page.plain import json_number, shown_text
from results.statistics.confirmation import Round
from results.store.row_types import TrialRow
from results.store.statuses import CONFIRM
from results.verdicts import uneven, verdict_in_words


def confirmations(found: Sequence[Round], rows: Sequence[TrialRow]) -> list[dict[str, Any]]:
    """One dict a round; its arms begin with the base. Runs are ``[place of the seed, trial's number, value]``."""
    numbers = {row["key"]: row["number"] for row in rows}
    return [_round(one, rows, numbers) for one in found]


def _round(one: Round, rows: Sequence[TrialRow], numbers: Mapping[str, int]) -> dict[str, Any]:
    judgement = one.judgement
    members = [row for row in rows if row["stage"] == CONFIRM and row["round"] == one.number]
    arms = [_arm(one.base, one, members, numbers)] + [_arm(arm, one, members, numbers) for arm in one.candidates]
    noise = judgement.noise
    return {
        "design": str(one.design),
        "meaning": one.design.meaning,
        "uneven": uneven(one.design),
        "seeds": list(one.seeds),
        "state": _state(one, members),
        "noise": None if noise is None else {"sd": json_number(noise.sd), "degrees": noise.degrees_of_freedom},
        "arms": arms,
    }


def _state(one: Round, members: Sequence[TrialRow]) -> str:
    """Say in a sentence whether the confirmation goes on; empty where it is over."""
    return "" if one.judgement.over and one.complete else going_on(row["status"] for row in members)


def going_on(statuses: Iterable[str]) -> str:
    """Say of a confirmation that is not over, whose runs have these statuses, whether anything goes on with it."""
    if "running" in statuses:
        return "The confirmation on fresh seeds goes on."
    return "The confirmation on fresh seeds was interrupted: a resume goes on with it."


def _arm(arm: str, one: Round, members: Sequence[TrialRow], numbers: Mapping[str, int]) -> dict[str, Any]:
    runs = [
        [one.seeds.index(row["seed"]), row["number"], json_number(row["value"]), row["status"]]
        for row in members
        if row["arm"] == arm and row["seed"] in one.seeds
    ]
    found: dict[str, Any] = {"trial": numbers.get(arm), "is_base": arm == one.base, "runs": runs}
    verdict = one.judgement.verdicts.get(arm)
    if verdict is None:
        return found
    middle, ends = verdict.difference, [json_number(verdict.low), json_number(verdict.high)]
    established = {"better": verdict.better, "worse": verdict.refuted}
    pairs, said = verdict.pairs, verdict_in_words(verdict)
    if not one.judgement.seeds:
        pairs = len(_seeds_with_a_value(arm, one) & _seeds_with_a_value(one.base, one))
        said = f"no verdict yet: the first is given after {counted(one.design.looks[0], 'pair')}"
    return {**found, "difference": json_number(middle), "low": ends[0], "high": ends[1], "pairs": pairs} | {
        "said": shown_text(said),
        **established,
    }


def _seeds_with_a_value(arm: str, one: Round) -> set[int]:
    return {seed for (own, seed), run in one.runs.items() if own == arm and run.value is not None}
