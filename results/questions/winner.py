"""The trial that has won: that which a confirmation established, before that the completed one of the lowest value."""

from __future__ import annotations

from statistics import fmean
from typing import Any

import pandas as pd

from results.questions.framed import COUNT, NUMBER, WORDS, YES_NO, changes_of, changes_text, framed, objectives_of
from results.questions.readable import Readable
from results.statistics.between_candidates import fresh_means, leads
from results.statistics.confirmation import Round, rounds, standing
from results.statistics.corrected import corrected
from results.statistics.judgement import Verdict
from results.verdicts import plain_rows_of, verdict_in_words

_TYPES = {
    "trial": COUNT, "key": WORDS, "value": NUMBER, "versus_base": NUMBER, "difference": NUMBER, "low": NUMBER,
    "high": NUMBER, "corrected": NUMBER, "confirmed": YES_NO, "verdict": WORDS, "changes": WORDS,
    "runner_up": COUNT, "ahead": NUMBER, "ahead_low": NUMBER, "ahead_high": NUMBER, "told_apart": YES_NO,
    "fresh_value": NUMBER, "fresh_base": NUMBER,
}  # fmt: skip


def winner(campaign: Readable) -> pd.DataFrame:
    """Which trial has won, and is that confirmed? One row, or none while nothing has completed.

    A ValueError for a campaign of two objectives: its best are a front.

    - ``trial`` (its number), ``key``, ``value``: the objective in the search (in its unit)
    - ``versus_base``: that minus the base's, single runs of the search and so no finding (unit of the objective)
    - ``difference`` from the base on fresh seeds, the mean of pairs, with the 95 % interval ``low`` to ``high`` (unit
      of the objective); null where it was not tried there
    - ``corrected``: the difference that is to be expected again: without the luck of the best of several, and of the
      look that ended it (unit of the objective). Null unless it is confirmed by the noise of its own pairs
    - ``confirmed``: whether that established that it is better than the base
    - ``verdict`` of the confirmation in words, also of one that settled nothing; null where it was not tried
    - ``changes`` from the base, as ``path=value``
    - ``runner_up``: number of the candidate that comes next on fresh seeds, and by how much the winner is ``ahead`` of
      it on the seeds of both (above 0: lower), with the interval ``ahead_low`` to ``ahead_high``, which is right for
      all pairs of candidates and looks together in 95 % (unit of the objective); ``told_apart``: whether that leaves
      out 0, else either may be the better one. Null without a winner or another candidate
    - ``fresh_value`` and ``fresh_base``: the means of which ``difference`` is made, of the winner that is confirmed and
      of the base on the same fresh seeds (unit of the objective)
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
    found = rounds(plain_rows_of(results))
    stands = standing(found)
    won = None if stands is None else stands.judgement.winner
    row = next((run for run in runs if won is not None and run["key"] == won.arm), runs[0])
    bases = [run["value"] for run in runs if run["is_base"] is True]
    about = {
        "trial": row["number"],
        "key": row["key"],
        "value": row["value"],
        "versus_base": row["value"] - fmean(bases) if bases and row["is_base"] is not True else None,
        "changes": changes_text(changes_of(row)),
    }
    confirmed = won is not None and row["key"] == won.arm
    tried = won if confirmed else _tried(row["key"], found)
    next_one = {} if stands is None or not confirmed else _runner_up(stands, trials)
    return framed([{**about, "confirmed": confirmed, **_on_fresh_seeds(tried), **next_one}], _TYPES)


def _runner_up(stands: Round, trials: pd.DataFrame) -> dict[str, Any]:
    """The cells of the winner's means on fresh seeds, and of the candidate that comes next."""
    near, won = next(iter(leads(stands)), None), stands.judgement.winner
    means = None if won is None else fresh_means(stands, won.arm)
    known: dict[str, Any] = {} if means is None else dict(zip(("fresh_value", "fresh_base"), means, strict=True))
    if won is not None:
        known["corrected"] = corrected(stands.design, won)
    if near is None:
        return known
    half, numbers = near.half_width, dict(zip(trials["key"], trials["number"], strict=True))
    ends = {} if half is None else {"ahead_low": near.ahead - half, "ahead_high": near.ahead + half}
    return {**known, "runner_up": numbers.get(near.arm), "ahead": near.ahead, **ends, "told_apart": near.told_apart}


def _tried(key: str, found: list[Round]) -> Verdict | None:
    """The verdict of the latest confirmation in which a trial was a candidate; None where it was in none."""
    return next((one.judgement.verdicts[key] for one in reversed(found) if key in one.judgement.verdicts), None)


def _on_fresh_seeds(verdict: Verdict | None) -> dict[str, Any]:
    if verdict is None:
        return {}
    interval = {"low": verdict.low, "high": verdict.high}
    return {"difference": verdict.difference, **interval, "verdict": verdict_in_words(verdict)}
