"""The confirmations of a campaign for a page: every run, paired by seed, with the interval of each candidate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

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
        "over": judgement.over and one.complete,
        "noise": None if noise is None else {"sd": json_number(noise.sd), "degrees": noise.degrees_of_freedom},
        "arms": arms,
    }


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
    return {**found, "difference": json_number(middle), "low": ends[0], "high": ends[1], "pairs": verdict.pairs} | {
        "said": shown_text(verdict_in_words(verdict)),
        **established,
    }
