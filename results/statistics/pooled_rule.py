"""The rule of campaigns from before ``own_noise_rule.py``: one noise for all configs, pooled over the round.

Their rows are read and judged as they were, so that a verdict that was once given stays.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean

from results.design import Design
from results.statistics.judgement import MOST_PAIRS, EndedRun, Judgement, Verdict, by_difference
from results.statistics.leaderboard import ESTABLISHED, Noise, paired_noise, verdict

Runs = Mapping[tuple[str, int], EndedRun]


def judge_pooled(design: Design, base: str, candidates: Sequence[str], seeds: Sequence[int], runs: Runs) -> Judgement:
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


def _values(arm: str, seeds: Sequence[int], runs: Runs) -> dict[int, float]:
    found = {seed: runs[arm, seed].value for seed in seeds if (arm, seed) in runs}
    return {seed: value for seed, value in found.items() if value is not None}


def _failure(arm: str, seeds: Sequence[int], runs: Runs) -> str:
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
    half = noise.smallest_difference(len(pairs), len(pairs), confidence)
    settle = pairs_to_settle(difference, noise.sd, design, len(pairs) + 1)
    low, high = difference - half, difference + half
    return Verdict(arm, len(pairs), difference, low, high, confidence, finding, pairs_to_settle=settle)


def _go_on(verdicts: Mapping[str, Verdict], at_the_end: bool) -> dict[str, Verdict]:
    """Return the verdicts, with those settled that nothing more is spent on."""
    best = min((v for v in verdicts.values() if v.better), key=by_difference, default=None)

    def settled(found: Verdict) -> bool:
        if at_the_end or found.finding == ESTABLISHED or found.difference is None:
            return True
        return found.difference >= 0 or (best is not None and by_difference(best) < found.difference)

    return {arm: replace(v, going_on=v.going_on and not settled(v)) for arm, v in verdicts.items()}


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
