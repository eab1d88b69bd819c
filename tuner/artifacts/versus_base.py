"""The trial that is handed in beside the base: in what the search asked for, and in val_bpb, by which it is judged.

Each line names its measure, and stands there whether it flatters the trial or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from statistics import fmean, stdev
from typing import Final

from results.plain_rows import plain_rows
from results.questions.framed import objectives_of
from results.statistics.confirmation import Round, rounds, standing
from results.statistics.student_t import two_sided_quantile
from results.store.frames import Results
from results.store.row_parts import given
from results.store.row_types import TrialRow
from results.store.statuses import CONFIRM, SEARCH
from results.verdicts import verdict_in_words
from search_spaces.objectives import cost_of
from terminal.counted import counted
from terminal.short import signed

# The score of a submission, and of a trial that has no artifact; the first that both have is compared.
SCORES: Final = {"val_bpb_quantised": "after the round trip", "val_bpb": "before the round trip"}
# The pairs were chosen, and their number was decided, by looks at another measure: nothing here corrects for that.
UNCORRECTED: Final = "not corrected for several looks and candidates, so no verdict"


def lines_versus_base(results: Results, row: TrialRow) -> list[str]:
    """Compare a trial with the base, a line a measure; nothing for the base itself, or without a run of it."""
    if row["is_base"]:
        return []
    rows, arm = plain_rows(results.rows), row.get("arm") or row["key"]
    found = _round_of(arm, rounds(rows))
    if found is None:
        return _in_the_search(rows, row)
    lines, objective = [], objectives_of(results)[0]
    verdict = found.judgement.verdicts[arm]
    when = f" ({SCORES[objective]})" if objective in SCORES else ""
    against = f"{objective} against the base on the same fresh seeds{when}"
    if verdict.difference is not None:
        ends = ""
        if verdict.low is not None and verdict.high is not None:
            ends = f"95 % interval {signed(verdict.low)} .. {signed(verdict.high)}; "
        between = f"{ends}{counted(verdict.pairs, 'pair')}; {verdict_in_words(verdict)}"
        lines.append(f"{against}: {signed(verdict.difference)} ({between})")
    else:
        lines.append(f"{against}: {verdict_in_words(verdict)}")
    return [*lines, *_in_score(rows, found, arm, objective)]


def _round_of(arm: str, found: Sequence[Round]) -> Round | None:
    """The confirmation that a config has won, else the latest in which it was a candidate."""
    stands = standing(found)
    if stands is not None and stands.judgement.winner is not None and stands.judgement.winner.arm == arm:
        return stands
    return next((one for one in reversed(found) if arm in one.judgement.verdicts), None)


def _in_score(rows: Sequence[TrialRow], found: Round, arm: str, objective: str) -> list[str]:
    """The score beside the base's, by the pairs of that confirmation; nothing where it is the objective."""
    pairs = {name: _pairs(rows, found, arm, name) for name in SCORES}
    name = max(pairs, key=lambda one: len(pairs[one]))  # the first of as many
    known = pairs[name]
    if not known or name == objective:
        return []
    said = counted(len(known), "pair")
    if len(known) > 1:
        half = two_sided_quantile(0.95, len(known) - 1) * stdev(known) / len(known) ** 0.5
        low, high = fmean(known) - half, fmean(known) + half
        said = f"{said} alone give {signed(low)} .. {signed(high)} at 95 %; {UNCORRECTED}"
    return [f"{name} against the base on the same fresh seeds ({SCORES[name]}): {signed(fmean(known))} ({said})"]


def _pairs(rows: Sequence[TrialRow], found: Round, arm: str, name: str) -> list[float]:
    """The differences from the base in a score, a seed that both have it for."""
    scores: dict[str, dict[int, float]] = {arm: {}, found.base: {}}
    for row in rows:
        score, in_round = cost_of(name, row), row["stage"] == CONFIRM and row["round"] == found.number
        if in_round and row.get("arm") in scores and score is not None:
            scores[given(row["arm"])][given(row["seed"])] = score
    own, base = scores[arm], scores[found.base]
    pairs = [own[seed] - base[seed] for seed in sorted(own.keys() & base.keys())]
    return [one for one in pairs if isfinite(one)]


def _in_the_search(rows: Sequence[TrialRow], row: TrialRow) -> list[str]:
    """The score beside that of the base in the search: single runs."""
    bases = [one for one in rows if one["stage"] == SEARCH and one["is_base"] and one["seed"] == row["seed"]]
    for name, when in SCORES.items():
        own, known = cost_of(name, row), [score for one in bases if (score := cost_of(name, one)) is not None]
        if known and own is not None:
            difference = signed(own - known[0])
            return [
                f"{name} against the base on the search's seed ({when}): {difference} (one run each, and no finding)"
            ]
    return []
