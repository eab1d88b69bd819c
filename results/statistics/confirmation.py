"""Confirmation that the best of a search are better than the base: the design of its runs, and the verdicts from them.

The search's own values are not used: the best of many noisy ones is lucky by selection. Candidates and base train anew
on fresh seeds, the same for all of them, so that what a seed (initialisation and batch order) does to every config
alike drops out of the differences. Everything here is a function of the rows, so a resumed campaign, the driver and a
report come to the same decisions.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from results.design import Design
from results.statistics.leaderboard import ESTABLISHED, NOT_ESTABLISHED, Noise, paired_noise, verdict
from results.store.row_parts import given
from results.store.row_types import TrialRow
from results.store.statuses import CONFIRM, ENDED

MOST_PAIRS = 100  # beyond this many, nobody is told how many runs would settle it


@dataclass(frozen=True)
class EndedRun:
    """End of one run of a confirmation: a value, or what kept it from one."""

    value: float | None
    status: str = "completed"


@dataclass(frozen=True)
class Verdict:
    """Verdict on one candidate. Differences are candidate minus base: below zero is better."""

    arm: str
    pairs: int  # seeds on which it and the base completed
    difference: float | None = None  # mean over the pairs
    half_width: float | None = None  # of the interval, which is right for all candidates and looks together in 95 %
    finding: str = NOT_ESTABLISHED
    going_on: bool = True  # whether more seeds are wanted before the last word
    reason: str = ""  # why it is out, where that is not a matter of its values
    pairs_to_settle: int | None = None  # in all, if difference and noise are as they seem; None where nobody can say

    @property
    def better(self) -> bool:
        """Tell whether it is established to be better than the base."""
        return self.finding == ESTABLISHED and self.difference is not None and self.difference < 0

    @property
    def refuted(self) -> bool:
        """Tell whether it is out: established to be worse than the base, or failing."""
        return bool(self.reason) or (self.finding == ESTABLISHED and not self.better)


@dataclass(frozen=True)
class Judgement:
    """Verdicts by arm, in the order given, and the runs (arm, seed) that the next look still waits for."""

    verdicts: dict[str, Verdict]
    wanted: tuple[tuple[str, int], ...]
    noise: Noise | None
    seeds: int  # of the last look

    @property
    def over(self) -> bool:
        """Tell whether every candidate has its last word."""
        return not any(found.going_on for found in self.verdicts.values())

    @property
    def winner(self) -> Verdict | None:
        """The candidate that is established to be better than the base, by the most where there are several."""
        return min((v for v in self.verdicts.values() if v.better), key=_by_difference, default=None)


def judge(
    design: Design, base: str, candidates: Sequence[str], seeds: Sequence[int], runs: Mapping[tuple[str, int], EndedRun]
) -> Judgement:
    """Go through the looks in order, each on the runs that it had; ``runs`` holds ended ones by arm and seed.

    A candidate is settled when its difference is established, in either direction. It gets no further seed when it is
    not ahead of the base, or when another one is established and ahead of it: it could then only win by a reversal,
    and runs are better spent elsewhere. This stop makes no false finding, only a rare missed one. One that diverged or
    crashed on a seed is out, and its other runs say nothing of the noise.
    """
    verdicts = {arm: Verdict(arm, 0) for arm in candidates}
    noise, looked = None, 0
    for count in range(design.first, design.last + 1):
        going = [arm for arm, found in verdicts.items() if found.going_on]
        if not going:
            break
        if len(seeds) < count:
            return Judgement(verdicts, (), noise, looked)
        seen = seeds[:count]
        missing = tuple((arm, seed) for seed in seen for arm in (base, *going) if (arm, seed) not in runs)
        if missing:
            return Judgement(verdicts, missing, noise, looked)
        values = {arm: _values(arm, seen, runs) for arm in (base, *candidates)}
        sound = [arm for arm in values if arm == base or not _failure(arm, seen, runs)]
        noise, looked = paired_noise(values[arm] for arm in sound), count
        for arm in going:
            verdicts[arm] = _verdict(arm, design, count, values[base], values[arm], noise, _failure(arm, seen, runs))
        verdicts = _go_on(verdicts, at_the_end=count == design.last)
    return Judgement(verdicts, (), noise, looked)


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

    @property
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
            design = Design.parse(given(members[0]["design"]))
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


def _values(arm: str, seeds: Sequence[int], runs: Mapping[tuple[str, int], EndedRun]) -> dict[int, float]:
    found = {seed: runs[arm, seed].value for seed in seeds if (arm, seed) in runs}
    return {seed: value for seed, value in found.items() if value is not None}


def _failure(arm: str, seeds: Sequence[int], runs: Mapping[tuple[str, int], EndedRun]) -> str:
    known = {seed: runs[arm, seed] for seed in seeds if (arm, seed) in runs}
    return next((f"{run.status} on seed {seed}" for seed, run in known.items() if run.value is None), "")


def _verdict(
    arm: str,
    design: Design,
    count: int,
    base: Mapping[int, float],
    values: Mapping[int, float],
    noise: Noise | None,
    failure: str,
) -> Verdict:
    pairs = sorted(base.keys() & values.keys())
    if failure or not pairs:
        return Verdict(arm, len(pairs), reason=failure or "the base completed on no seed")
    difference, confidence = fmean(values[seed] - base[seed] for seed in pairs), design.confidence(count)
    finding = verdict(difference, noise, len(pairs), len(pairs), confidence=confidence)
    if noise is None:
        return Verdict(arm, len(pairs), difference)
    return Verdict(
        arm,
        len(pairs),
        difference,
        noise.smallest_difference(len(pairs), len(pairs), confidence),
        finding,
        pairs_to_settle=pairs_to_settle(difference, noise.sd, design, len(pairs) + 1),
    )


def _go_on(verdicts: Mapping[str, Verdict], at_the_end: bool) -> dict[str, Verdict]:
    """Return the verdicts, with those settled that nothing more is spent on."""
    best = min((v for v in verdicts.values() if v.better), key=_by_difference, default=None)

    def settled(found: Verdict) -> bool:
        if at_the_end or found.finding == ESTABLISHED or found.difference is None:
            return True
        return found.difference >= 0 or (best is not None and _by_difference(best) < found.difference)

    return {arm: replace(v, going_on=v.going_on and not settled(v)) for arm, v in verdicts.items()}


def _by_difference(found: Verdict) -> float:
    assert found.difference is not None
    return found.difference


def pairs_to_settle(difference: float, sd: float, design: Design, fewest: int = 2) -> int | None:
    """Pairs in all, ``fewest`` or more, after which this difference would be established at this noise.

    None where it is over MOST_PAIRS.
    """
    confidence = design.confidence(design.last)

    def settles(pairs: int) -> bool:
        noise = Noise(sd, design.candidates * (pairs - 1))
        return abs(difference) > noise.smallest_difference(pairs, pairs, confidence)

    fewest = max(2, fewest)
    pairs = bisect_left(range(fewest, MOST_PAIRS + 1), True, key=settles) + fewest
    return pairs if pairs <= MOST_PAIRS else None
