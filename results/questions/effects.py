"""The effect of each change: every comparison of a campaign with its interval, and whether it is more than noise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import pandas as pd

from results.plain_rows import Rows
from results.questions.framed import COUNT, NUMBER, WORDS, YES_NO, changes_of, changes_text, framed
from results.questions.noise import noise_of_trials
from results.questions.readable import Readable
from results.replays.comparison import Comparison, compare
from results.statistics.ablation import PairedDifference, ablation
from results.statistics.confirmation import rounds, standing
from results.statistics.leaderboard import CONFIDENCE, ESTABLISHED, NOT_ESTABLISHED, STANDS_OUT, Noise, verdict
from results.store.frames import Results
from results.verdicts import plain_rows_of, verdict_table

_TYPES = {
    "kind": WORDS, "name": WORDS, "trial": COUNT, "against": WORDS, "changes": WORDS, "num_changes": COUNT,
    "difference": NUMBER, "low": NUMBER, "high": NUMBER, "confidence": NUMBER, "runs": COUNT, "other_runs": COUNT,
    "finding": WORDS, "better": YES_NO, "verdict": WORDS,
}  # fmt: skip
_Row = dict[str, Any]


def effects(campaign: Readable) -> pd.DataFrame:
    """What did each change do, and is it more than noise? A row a comparison, the most trustworthy kinds first.

    - ``kind``: ``confirmation`` (a candidate and the base on fresh seeds, paired), ``ablation`` (the winner with some
      changes undone, paired with it), ``trial`` (a completed trial of the search and the base, single runs), and in a
      replay ``replayed run`` (a recorded run and its own base, means of the runs here) and ``claim`` (a finding of the
      recorded campaign, as it turned out here)
    - ``name``, and ``trial``, its number, where it is one (count); ``against``: what it is compared with
    - ``changes``, as ``path=value``, or in an ablation the paths that were undone; ``num_changes`` (count). The effect
      is that of all of them together: of one change alone where there is one
    - ``difference``: its value minus the other's (unit of the objective; below zero is better), with the interval
      ``low`` to ``high``; both null where no replicates tell the noise
    - ``confidence``: of this one interval, a fraction. Those of all trials together, and of all candidates and looks of
      a confirmation together, have 95 % (by Bonferroni's and by group-sequential levels); in a replay and an ablation
      each has 95 %
    - ``runs`` and ``other_runs`` (counts): how many there are of each
    - ``finding``: established, not established, or contradicts (of a claim: established with the opposite sign). Of a
      ``trial`` at most "stands out": one run lies beyond the noise, which fresh seeds have yet to confirm
    - ``better``: whether it is established to be better, so false of a trial that stands out; ``verdict``: the finding
      in words, with better and worse only where that is established
    """
    return framed(_all(campaign.read()), _TYPES)


def first_effects(results: Results, most: int) -> tuple[pd.DataFrame, int]:
    """The first rows of :func:`effects`, and how many there are."""
    first = list(_on_several_seeds(results))
    trials = [] if _is_recorded(results) else list(islice(_of_trials(results), most))
    more = 0 if len(trials) < most else _num_trials(results) - most
    return framed([*first, *trials][:most], _TYPES), len(first) + len(trials) + more


def _all(results: Results) -> Iterator[_Row]:
    yield from _on_several_seeds(results)
    if not _is_recorded(results):
        yield from _of_trials(results)


def _on_several_seeds(results: Results) -> Iterator[_Row]:
    """The comparisons of a replay; else those of confirmations and of an ablation."""
    if _is_recorded(results):
        yield from _replayed(compare(results))
        return
    rows = plain_rows_of(results)
    yield from _confirmed(rows)
    yield from _ablated(rows)


def _is_recorded(results: Results) -> bool:
    return results.campaign.get("recorded") is not None


def _num_trials(results: Results) -> int:
    """Count what :func:`_of_trials` yields where it yields anything."""
    trials = results.trials
    completed = (trials["status"] == "completed") & trials["value"].notna()
    return int((completed & ~trials["is_base"].fillna(False).astype(bool)).sum())


def _of_trials(results: Results) -> Iterator[_Row]:
    """Each completed trial against the mean of the base's runs in the search."""
    trials = results.trials[["key", "number", "status", "value", "is_base", "overrides"]]
    done = trials[(trials["status"] == "completed") & trials["value"].notna()]
    is_base = done["is_base"].fillna(False).astype(bool)
    bases, others = done[is_base], done[~is_base].sort_values(["value", "key"])
    if bases.empty:
        return
    noise = noise_of_trials(results)
    confidence = 1 - (1 - CONFIDENCE) / max(1, len(others))
    for row in others.to_dict("records"):
        changes = changes_of(row)
        difference = float(row["value"] - bases["value"].mean())
        yield {
            "kind": "trial",
            "name": f"trial {row['number']}",
            "trial": row["number"],
            "against": "base",
            "changes": changes_text(changes),
            "num_changes": len(changes),
            **_of_one_run(_judged(difference, None if noise is None else noise[0], 1, len(bases), confidence)),
        }


def _of_one_run(judged: _Row) -> _Row:
    """The cells with the word for a single run that the search picked, which no replicates of its own support."""
    if judged["finding"] != ESTABLISHED:
        return judged
    side = "lower" if judged["difference"] < 0 else "higher"
    return {**judged, "finding": STANDS_OUT, "better": False, "verdict": f"{STANDS_OUT}: {side}, one run only"}


def _judged(
    difference: float, noise: Noise | None, runs: int, other_runs: int, confidence: float, finding: str | None = None
) -> _Row:
    """The cells of a difference between means of runs that are not paired; its ``finding`` where that is known."""
    if finding is None:
        finding = verdict(difference, noise, runs, other_runs, confidence=confidence)
    half = None if noise is None else noise.smallest_difference(runs, other_runs, confidence)
    return {
        **_interval(difference, half, confidence),
        "runs": runs,
        "other_runs": other_runs,
        "finding": finding,
        "better": finding != NOT_ESTABLISHED and difference < 0,
        "verdict": _in_words(finding, difference < 0, noise is not None),
    }


def _interval(difference: float | None, half: float | None, confidence: float | None) -> _Row:
    if difference is None or half is None:
        return {"difference": difference}
    return {
        "difference": difference,
        "low": difference - half,
        "high": difference + half,
        "confidence": confidence,
    }


def _in_words(finding: str, better: bool, is_known: bool) -> str:
    if finding == NOT_ESTABLISHED:
        return f"{finding}: " + ("within the noise" if is_known else "the noise is unknown, for want of replicates")
    return f"{finding}: {'better' if better else 'worse'}"


def _confirmed(rows: Rows) -> Iterator[_Row]:
    """Every candidate of every confirmation, the latest first."""
    if not (found_rounds := rounds(rows)):
        return
    by_key = {row["key"]: row for row in rows}
    for one in reversed(found_rounds):
        table = verdict_table(one, rows).to_dict("records")
        for row, (arm, found) in zip(table, one.judgement.verdicts.items(), strict=True):
            of_arm = changes_of(by_key[arm]) if arm in by_key else {}
            yield {
                "kind": "confirmation",
                "name": f"candidate of confirmation {one.number + 1}",
                "trial": row["trial"],
                "against": "base",
                "changes": changes_text(of_arm),
                "num_changes": len(of_arm),
                "difference": found.difference,
                "low": found.low,
                "high": found.high,
                "confidence": found.confidence,
                "runs": found.pairs,
                "other_runs": found.pairs,
                "finding": ESTABLISHED if found.settled else NOT_ESTABLISHED,
                "better": found.better,
                "verdict": row["verdict"],
            }


def _ablated(rows: Rows) -> Iterator[_Row]:
    """Yield the ablation's comparisons: the winner without some of its changes, and what is left of it as a whole."""
    stands = standing(rounds(rows))
    found = None if stands is None else ablation(stands, rows)
    if found is None:
        return
    for group, effect in found.decision.tried.items():
        yield _paired(f"the winner without {', '.join(group)}", "winner", group, effect)
    undone = [change for change in found.changes if change not in found.decision.kept]
    for against, whole in (("base", found.versus_base), ("winner", found.versus_winner)):
        if whole is not None:
            yield _paired("what is left of the winner, on fresh seeds", against, undone, whole)


def _paired(name: str, against: str, undone: Sequence[str], effect: PairedDifference) -> _Row:
    finding, is_known = effect.finding or NOT_ESTABLISHED, effect.half_width is not None
    return {
        "kind": "ablation",
        "name": name,
        "against": against,
        "changes": ", ".join(undone),
        "num_changes": len(undone),
        **_interval(effect.difference, effect.half_width, CONFIDENCE),
        "runs": effect.pairs,
        "other_runs": effect.pairs,
        "finding": finding,
        "better": effect.better,
        "verdict": f"failed: {effect.reason}" if effect.reason else _in_words(finding, effect.better, is_known),
    }


def _replayed(comparison: Comparison) -> Iterator[_Row]:
    """The claims of the recorded campaign, then each of its runs that was trained here, as results.compare has them."""
    runs, claims, noise = comparison.runs, comparison.effects, comparison.measured_noise
    trained = dict(zip(runs["id"], runs["measured_runs"], strict=True))
    for row in claims[claims["measured_difference"].notna()].to_dict("records"):
        sizes = trained[row["treatment"]], trained[row["control"]]
        yield {
            "kind": "claim",
            "name": f"{row['treatment']}: {row['name']}",
            "against": row["control"],
            **_judged(row["measured_difference"], noise, *sizes, CONFIDENCE, row["measured_verdict"]),
        }
    for row in runs[runs["measured_difference"].notna()].sort_values("measured").to_dict("records"):
        sizes = row["measured_runs"], trained[row["base"]]
        yield {
            "kind": "replayed run",
            "name": f"{row['id']}: {row['name']}",
            "against": row["base"],
            **_judged(row["measured_difference"], noise, *sizes, CONFIDENCE, row["measured_verdict"]),
        }
