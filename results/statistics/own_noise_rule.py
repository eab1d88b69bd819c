"""The rule of a confirmation: each difference by the noise of its own pairs, and the chance of escaping by itself."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from terminal.counted import counted

from results.design import Design
from results.statistics.bimodal import NotEscaped, has_escaped, plateau_of
from results.statistics.chance_of_escape import Escapes, escapes
from results.statistics.judgement import MOST_PAIRS, EndedRun, Judgement, Verdict, by_difference
from results.statistics.leaderboard import ESTABLISHED, NOT_ESTABLISHED, Noise, paired_noise
from results.statistics.studentized import FLOOR, Levels, levels, one_sided_quantile

Runs = Mapping[tuple[str, int], EndedRun]
Values = Mapping[int, float]  # by seed


def judge_by_own_noise(
    design: Design, base: str, candidates: Sequence[str], seeds: Sequence[int], runs: Runs
) -> Judgement:
    """Go through the looks in order, each on the runs that it had; ``runs`` holds ended ones by arm and seed.

    A candidate is settled when a difference is established, in either direction. It gets no further seed where the
    last look would hardly establish one, where another one is established and ahead of it, or, beyond the seeds that
    all get, where another one is the best of those that are left. None of these stops makes a false finding. One that
    crashed on a seed is out, and its other runs say nothing of the noise.
    """
    verdicts = {arm: Verdict(arm, 0) for arm in candidates}
    upto, look = dict.fromkeys((base, *candidates), 0), _Look.before(base)
    for count in design.looks:
        going = [arm for arm, found in verdicts.items() if found.going_on]
        if not going or len(seeds) < count:
            break
        missing = tuple((arm, seed) for seed in seeds[:count] for arm in (base, *going) if (arm, seed) not in runs)
        if missing:
            return Judgement(verdicts, missing, look.noise, look.count, look.plateau)
        upto |= dict.fromkeys((base, *going), count)
        ends = {arm: {seed: runs[arm, seed] for seed in seeds[:number]} for arm, number in upto.items()}
        look = _Look.at(count, base, ends)
        at = levels(design.candidates, design.looks)
        verdicts |= {arm: look.verdict(arm, design, at) for arm in going}
        verdicts = _go_on(verdicts, design, count)
    return Judgement(verdicts, (), look.noise, look.count, look.plateau)


@dataclass(frozen=True)
class _Look:
    """One look: the runs it has, those that escaped by arm and seed, and what they show of the noise together."""

    count: int
    base: str
    ends: Mapping[str, Mapping[int, EndedRun]]
    plateau: NotEscaped | None
    escaped: Mapping[str, Values]
    pooled: float | None  # variance of a difference on one seed, over all pairs of configs

    @classmethod
    def before(cls, base: str) -> _Look:
        """Return what there is before the first one."""
        return cls(0, base, {}, None, {}, None)

    @classmethod
    def at(cls, count: int, base: str, ends: Mapping[str, Mapping[int, EndedRun]]) -> _Look:
        """Collect a look of the runs by arm and seed."""
        sound = {arm: runs for arm, runs in ends.items() if arm == base or not _crash(runs)}
        plateau = plateau_of({arm: [(run.value, run.status) for run in runs.values()] for arm, runs in sound.items()})
        above = None if plateau is None else plateau.above
        escaped = {arm: _escaped(runs, above) for arm, runs in sound.items()}
        return cls(count, base, ends, plateau, escaped, _pooled_variance(list(escaped.values())))

    @property
    def noise(self) -> Noise | None:
        """The noise of a run beside what its seed does to all alike, over all configs that are sound."""
        return paired_noise(self.escaped.values()) if self.escaped else None

    def verdict(self, arm: str, design: Design, at: Mapping[int, Levels]) -> Verdict:
        """Judge one candidate."""
        if crash := _crash(self.ends[arm]):
            return Verdict(arm, 0, reason=crash)
        its, base = self.escaped[arm], self.escaped[self.base]
        if not its:
            seeds = counted(len(self.ends[arm]), "seed")
            return Verdict(arm, 0, reason=f"{'diverged' if self.plateau is None else 'never escaped'} on all {seeds}")
        if not base and self.plateau is None:
            return Verdict(arm, 0, reason="the base completed on no seed")
        found = self._of_values(arm, [its[seed] - base[seed] for seed in its if seed in base], at[self.count])
        if found.sd is not None and found.difference is not None:
            found = replace(found, pairs_to_settle=_pairs_to_settle(found, at[design.final]))
        chances = self._escapes(arm, at[self.count])
        hope = found.going_on or (chances is not None and _would_be_told(chances, self.count, design, at))
        return replace(found, escapes=chances, going_on=hope)

    def _of_values(self, arm: str, differences: Sequence[float], at: Levels) -> Verdict:
        """Judge the values given escape; it goes on where nothing is known of their noise."""
        pairs, own = len(differences), _variance(differences)
        mean = math.fsum(differences) / pairs if pairs else None
        if mean is None or own is None or self.pooled is None:
            return Verdict(arm, pairs, mean)
        sd = math.sqrt(max(own, FLOOR * self.pooled))
        error = sd / math.sqrt(pairs)
        above, below = (error * one_sided_quantile(1 - level, pairs - 1) for level in (at.better, at.worse))
        low, high = mean - below, mean + above
        finding = ESTABLISHED if mean and (high < 0 or low > 0) else NOT_ESTABLISHED
        going_on = -mean >= error * one_sided_quantile(at.going, pairs - 1)
        confidence = 1 - at.better - at.worse
        return Verdict(arm, pairs, mean, low, high, confidence, finding, going_on, sd=sd)

    def _escapes(self, arm: str, at: Levels) -> Escapes | None:
        """Compare the chances of escaping; None where every config has one kind of runs only."""
        if self.plateau is None:
            return None
        kinds = [
            [kind for run in self.ends[one].values() if (kind := self._kind(run)) is not None]
            for one in (arm, self.base)
        ]
        its, base = kinds
        return escapes(sum(its), len(its), sum(base), len(base), at.chance) if its and base else None

    def _kind(self, run: EndedRun) -> bool | None:
        assert self.plateau is not None
        return has_escaped((run.value, run.status), self.plateau.above)


def _would_be_told(chances: Escapes, count: int, design: Design, at: Mapping[int, Levels]) -> bool:
    """Tell whether the chance of escaping would be established to be higher at the last look, if it stays as it is."""
    scale, level = design.final / count, at[design.final].chance
    numbers = (chances.escaped, chances.runs, chances.base_escaped, chances.base_runs)
    its, runs, base, base_runs = (round(number * scale) for number in numbers)
    return escapes(its, runs, base, base_runs, level).more


def _go_on(verdicts: Mapping[str, Verdict], design: Design, count: int) -> dict[str, Verdict]:
    """Return the verdicts, with those settled that nothing more is spent on."""
    best = min((by_difference(v) for v in verdicts.values() if v.better), default=math.inf)
    going = {
        arm
        for arm, found in verdicts.items()
        if found.going_on and not found.settled and not found.reason and not best < by_difference(found)
    }
    if count >= design.last and going:
        going = {min(going, key=lambda arm: by_difference(verdicts[arm]))} if count < design.final else set()
    return {arm: replace(found, going_on=arm in going) for arm, found in verdicts.items()}


def _crash(runs: Mapping[int, EndedRun]) -> str:
    """Say on which seed it failed for another reason than its values; empty where it did not."""
    return next((f"{run.status} on seed {s}" for s, run in runs.items() if has_escaped(_end(run), None) is None), "")


def _end(run: EndedRun) -> tuple[float | None, str]:
    return run.value, run.status


def _escaped(runs: Mapping[int, EndedRun], above: float | None) -> dict[int, float]:
    """Return the values of the runs that escaped, by seed."""
    return {seed: run.value for seed, run in runs.items() if run.value is not None and has_escaped(_end(run), above)}


def _variance(values: Sequence[float]) -> float | None:
    """Return the variance of values; None of fewer than two."""
    if len(values) < 2:
        return None
    mean = math.fsum(values) / len(values)
    return math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)


def _pooled_variance(arms: Sequence[Values]) -> float | None:
    """Return the variance of a difference on one seed over all pairs of configs; None where no two share two seeds.

    Where all have the same seeds it is twice the residual variance of a two-way layout of configs and seeds.
    """
    squares, freedom = 0.0, 0
    for one, other in combinations(arms, 2):
        differences = [one[seed] - other[seed] for seed in one if seed in other]
        variance = _variance(differences)
        if variance is not None:
            squares += variance * (len(differences) - 1)
            freedom += len(differences) - 1
    return squares / freedom if freedom else None


def _pairs_to_settle(found: Verdict, at: Levels) -> int | None:
    """Return the pairs in all, more than there are, after which its difference would be established at its noise."""
    assert found.difference is not None and found.sd is not None
    difference, sd = found.difference, found.sd
    level = at.better if difference < 0 else at.worse

    def settles(pairs: int) -> bool:
        return abs(difference) > sd / math.sqrt(pairs) * one_sided_quantile(1 - level, pairs - 1)

    fewest = max(2, found.pairs + 1)
    pairs = bisect_left(range(fewest, MOST_PAIRS + 1), True, key=settles) + fewest
    return pairs if pairs <= MOST_PAIRS else None
