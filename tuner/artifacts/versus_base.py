"""The trial that is handed in beside the base: in what the search asked for, and in val_bpb, by which it is judged.

Each line names its measure, and stands there whether it flatters the trial or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from statistics import fmean, stdev
from typing import Final

from results.questions.framed import objectives_of
from results.statistics.confirmation import Round, rounds, standing
from results.statistics.student_t import two_sided_quantile
from results.store.frames import Results
from results.store.row_parts import given
from results.store.row_types import TrialRow
from results.store.statuses import CONFIRM, SEARCH
from results.verdicts import plain_rows, verdict_in_words
from terminal.counted import counted
from terminal.short import signed

SCORE: Final = "val_bpb"  # of a submission
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
    if verdict.difference is not None:
        ends = ""
        if verdict.low is not None and verdict.high is not None:
            ends = f"95 % interval {signed(verdict.low)} .. {signed(verdict.high)}; "
        between = f"{ends}{counted(verdict.pairs, 'pair')}; {verdict_in_words(verdict)}"
        lines.append(f"{objective} against the base on the same fresh seeds: {signed(verdict.difference)} ({between})")
    else:
        lines.append(f"{objective} against the base on the same fresh seeds: {verdict_in_words(verdict)}")
    return lines if objective == SCORE else [*lines, *_in_score(rows, found, arm)]


def _round_of(arm: str, found: Sequence[Round]) -> Round | None:
    """The confirmation that a config has won, else the latest in which it was a candidate."""
    stands = standing(found)
    if stands is not None and stands.judgement.winner is not None and stands.judgement.winner.arm == arm:
        return stands
    return next((one for one in reversed(found) if arm in one.judgement.verdicts), None)


def _in_score(rows: Sequence[TrialRow], found: Round, arm: str) -> list[str]:
    """The score beside the base's, by the pairs of that confirmation in which both have one."""
    scores: dict[str, dict[int, float]] = {arm: {}, found.base: {}}
    for row in rows:
        score, in_round = row[SCORE], row["stage"] == CONFIRM and row["round"] == found.number
        if in_round and row.get("arm") in scores and score is not None:
            scores[given(row["arm"])][given(row["seed"])] = score
    own, base = scores[arm], scores[found.base]
    pairs = [own[seed] - base[seed] for seed in sorted(own.keys() & base.keys())]
    pairs = [one for one in pairs if isfinite(one)]
    if not pairs:
        return []
    said = counted(len(pairs), "pair")
    if len(pairs) > 1:
        half = two_sided_quantile(0.95, len(pairs) - 1) * stdev(pairs) / len(pairs) ** 0.5
        low, high = fmean(pairs) - half, fmean(pairs) + half
        said = f"{said} alone give {signed(low)} .. {signed(high)} at 95 %; {UNCORRECTED}"
    return [
        f"{SCORE} against the base on the same fresh seeds (before the round trip): {signed(fmean(pairs))} ({said})"
    ]


def _in_the_search(rows: Sequence[TrialRow], row: TrialRow) -> list[str]:
    """The score beside that of the base in the search: single runs."""
    bases = [
        one[SCORE] for one in rows
        if one["stage"] == SEARCH and one["is_base"] and one["seed"] == row["seed"] and one[SCORE] is not None
    ]  # fmt: skip
    if not bases or row[SCORE] is None:
        return []
    difference = signed(row[SCORE] - bases[0])
    return [f"{SCORE} against the base on the search's seed: {difference} (one run each, and no finding)"]
