"""Confirmation that the best of a search are better than the base: the design of its runs, and the verdicts from them.

The search's own values are not used: the best of many noisy ones is lucky by selection. Candidates and base train anew
on fresh seeds, the same for all of them, so that what a seed (initialisation and batch order) does to every config
alike drops out of the differences. Everything here is a function of the rows, so a resumed campaign, the driver and a
report come to the same decisions.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from results.design import Design
from results.statistics.judgement import EndedRun, Judgement, Verdict
from results.statistics.leaderboard import Noise
from results.statistics.own_noise_rule import judge_by_own_noise
from results.statistics.pooled_rule import judge_pooled
from results.statistics.studentized import levels, one_sided_quantile
from results.store.row_parts import given
from results.store.row_types import TrialRow
from results.store.statuses import CONFIRM, ENDED


def judge(
    design: Design, base: str, candidates: Sequence[str], seeds: Sequence[int], runs: Mapping[tuple[str, int], EndedRun]
) -> Judgement:
    """Go through the looks in order, each on the runs that it had, by the rule that the design was begun with."""
    rule = judge_by_own_noise if design.own_noise else judge_pooled
    return rule(design, base, candidates, seeds, runs)


def smallest_established(design: Design, noise: Noise) -> float:
    """Return the smallest difference that all seeds of a design establish, where all configs have this noise."""
    if not design.own_noise:
        return noise.smallest_difference(design.last, design.last, design.confidence(design.last))
    level = levels(design.candidates, design.looks)[design.final].better
    return noise.sd * math.sqrt(2 / design.final) * one_sided_quantile(1 - level, design.final - 1)


@dataclass(frozen=True)
class Round:
    """One confirmation of a campaign, as its rows tell it. There are several where the search was resumed."""

    number: int
    design: Design
    base: str  # arm, as the candidates are
    candidates: tuple[str, ...]
    seeds: tuple[int, ...]
    runs: dict[tuple[str, int], EndedRun]  # ended ones
    started: int

    @property
    def complete(self) -> bool:
        """Tell whether all of its candidates have started; before that the rows do not show which they are."""
        return len(self.candidates) == self.design.candidates

    @cached_property
    def judgement(self) -> Judgement:
        if not self.complete:
            return Judgement({arm: Verdict(arm, 0) for arm in self.candidates}, (), None, 0)
        return judge(self.design, self.base, self.candidates, self.seeds, self.runs)


def rounds(rows: Iterable[TrialRow]) -> list[Round]:
    """The confirmations among a campaign's trials, in order. ``rows`` are trials with None for what is null."""
    by_round: dict[int, list[TrialRow]] = {}
    for row in sorted((row for row in rows if row["stage"] == CONFIRM), key=lambda row: row["number"]):
        by_round.setdefault(given(row["round"]), []).append(row)
    found = []
    for number, members in sorted(by_round.items()):
        base = [given(row["arm"]) for row in members if row["is_base"]]
        if base:  # it starts first
            arms = tuple(dict.fromkeys(given(row["arm"]) for row in members if not row["is_base"]))
            seeds = tuple(dict.fromkeys(given(row["seed"]) for row in members))
            design = Design.of_row(given(members[0]["design"]))
            found.append(Round(number, design, base[0], arms, seeds, ended_runs(members), len(members)))
    return found


def standing(found: Sequence[Round]) -> Round | None:
    """The latest round whose winner stands: no later one has another, or has found this one worse or failing.

    None where there is none.
    """
    for number, one in reversed(list(enumerate(found))):
        winner = one.judgement.winner
        if one.judgement.over and winner is not None:
            again = [later.judgement.verdicts.get(winner.arm) for later in found[number + 1 :]]
            if not any(verdict is not None and verdict.refuted for verdict in again):
                return one
    return None


def ended_runs(rows: Iterable[TrialRow]) -> dict[tuple[str, int], EndedRun]:
    """Collect the ends of the runs that have ended, by arm and seed."""
    ended = (row for row in rows if row["status"] in ENDED)
    return {(given(row["arm"]), given(row["seed"])): EndedRun(row["value"], row["status"]) for row in ended}
