from __future__ import annotations

import math

import pytest
from scipy import stats

from results.design import DEFAULT, Design
from results.statistics.confirmation import judge, smallest_established
from results.statistics.judgement import EndedRun
from results.statistics.leaderboard import Noise
from results.statistics.studentized import levels

DESIGN = Design(2, 3, 5)
SEEDS = tuple(range(11, 41))
JITTER = (0.01, -0.01, 0.005, -0.005, 0.0, 0.008, -0.008, 0.002, -0.002, 0.004, -0.004, 0.006, -0.006, 0.003)


def ended(**arms: list[float | str]) -> dict[tuple[str, int], EndedRun]:
    """Runs by arm and seed: values, or statuses of runs without one."""
    return {
        (arm, seed): EndedRun(None, value) if isinstance(value, str) else EndedRun(value)
        for arm, values in arms.items()
        for seed, value in zip(SEEDS, values, strict=False)
    }


def around(middle: float, sign: int = 1, count: int = 3) -> list[float]:
    """Values with a little noise, and the same large effect of each seed in every arm."""
    return [middle + sign * jitter + 0.3 * index for index, jitter in enumerate(JITTER[:count])]


def test_a_difference_is_judged_by_the_spread_of_its_own_pairs() -> None:
    """The other candidate is far quieter: pooled with it, this one would seem to be quieter than it is."""
    runs = ended(base=around(2), a=[1.7, 2.1, 2.3], b=around(2.005))
    found = judge(DESIGN, "base", ["a", "b"], SEEDS, runs).verdicts["a"]
    differences = [runs["a", s].value - runs["base", s].value for s in SEEDS[:3]]
    mean, at = sum(differences) / 3, levels(2, DESIGN.looks)[3]
    error = math.sqrt(sum((d - mean) ** 2 for d in differences) / 2 / 3)
    assert found.difference == pytest.approx(mean) and found.sd == pytest.approx(error * math.sqrt(3))
    assert found.high == pytest.approx(mean + error * stats.t.isf(at.better, 2))
    assert found.low == pytest.approx(mean - error * stats.t.isf(at.worse, 2))
    assert found.confidence == pytest.approx(1 - at.better - at.worse)


def test_pairs_that_lie_close_by_chance_count_for_no_less_than_half_of_the_noise_of_all() -> None:
    shifted = [value - 0.1 for value in around(2)]
    runs = ended(base=around(2), a=shifted, b=[2.3, 2.0, 2.9])
    pairs = [[runs[one, s].value - runs[other, s].value for s in SEEDS[:3]] for one, other in ("ab", ("b", "base"))]
    pooled = (0 + sum(stats.tvar(pair) for pair in pairs)) / 3
    found = judge(DESIGN, "base", ["a", "b"], SEEDS, runs).verdicts["a"]
    assert found.sd == pytest.approx(math.sqrt(pooled / 2))


def test_a_large_effect_is_settled_at_once_in_spite_of_what_seeds_do_to_all_alike() -> None:
    found = judge(DESIGN, "base", ["a", "b"], SEEDS, ended(base=around(2), a=around(1.5, -1), b=around(2.9, -1)))
    assert found.over and found.seeds == 3 and found.winner is found.verdicts["a"]
    assert found.verdicts["b"].worse and found.verdicts["b"].refuted


def test_nothing_is_spent_on_one_that_an_established_one_is_ahead_of() -> None:
    beside = ended(base=around(2, -1), b=around(1.97))
    alone = judge(DESIGN, "base", ["a", "b"], SEEDS, beside | ended(a=around(2.0, -1)))
    assert alone.verdicts["b"].going_on, "by itself it would go on"
    found = judge(DESIGN, "base", ["a", "b"], SEEDS, beside | ended(a=around(1.5)))
    assert found.over and found.winner is found.verdicts["a"] and found.verdicts["b"].pairs == 3


def test_the_best_undecided_one_goes_on_alone_beyond_the_seeds_of_all() -> None:
    design = Design(2, 3, 3, 12)
    assert design.looks == (3, 4, 6, 8, 11, 12)
    runs = ended(base=around(2, -1), a=around(1.99), b=around(1.98))
    found = judge(design, "base", ["a", "b"], SEEDS, runs)
    assert found.wanted == (("base", 14), ("b", 14)) and not found.verdicts["a"].going_on
    later = judge(design, "base", ["a", "b"], SEEDS, runs | ended(base=around(2, -1, 6), b=around(1.98, 1, 6)))
    assert later.verdicts["b"].pairs == 6 and later.verdicts["a"] == found.verdicts["a"], "a verdict stays what it was"


def test_one_that_the_last_look_would_hardly_find_better_gets_no_more_seeds() -> None:
    runs = ended(base=around(2), a=around(2.02, -1), b=around(1.999, -1))
    found = judge(Design(2, 3, 5), "base", ["a", "b"], SEEDS, runs)
    assert not found.verdicts["a"].going_on and found.verdicts["a"].finding == "not established"


def test_a_crash_puts_a_candidate_out_and_a_divergence_does_not() -> None:
    runs = ended(base=around(2), a=[1.0, "crashed", 1.0], b=[1.5, "diverged", 2.1])
    found = judge(DESIGN, "base", ["a", "b"], SEEDS, runs).verdicts
    assert found["a"].reason == "crashed on seed 12" and found["a"].refuted
    chances = found["b"].escapes
    assert not found["b"].reason and found["b"].pairs == 2 and chances is not None
    assert (chances.escaped, chances.runs, chances.base_escaped, chances.base_runs) == (2, 3, 3, 3)


def test_one_that_diverged_on_every_seed_is_out() -> None:
    found = judge(DESIGN, "base", ["a", "b"], SEEDS, ended(base=around(2), a=["diverged"] * 3, b=around(1.99)))
    assert found.verdicts["a"].reason == "diverged on all 3 seeds"


def lottery(count: int, **stuck: tuple[int, ...]) -> dict[tuple[str, int], EndedRun]:
    """The base, two candidates that are .2 and .1 better, and their runs that stay on a plateau, by place."""
    middles = {"base": 2.0, "a": 1.8, "b": 1.9}
    arms: dict[str, list[float | str]] = {}
    for arm, middle in middles.items():
        values = [middle + (1 if arm == "base" else -1) * jitter for jitter in JITTER[:count]]
        arms[arm] = [9.0 + v if place in stuck.get(arm, ()) else v for place, v in enumerate(values)]
    return ended(**arms)


def test_on_a_plateau_the_values_of_the_runs_that_escaped_are_compared() -> None:
    design = Design(2, 4, 9)
    found = judge(design, "base", ["a", "b"], SEEDS, lottery(4, base=(0,), b=(2,)))
    assert found.plateau is not None and (found.plateau.stayed, found.plateau.runs) == (2, 12)
    a = found.verdicts["a"]
    assert a.better and a.pairs == 3 and a.difference == pytest.approx(-0.2, abs=0.02)
    assert a.escapes is not None and not (a.escapes_more or a.escapes_less)
    pooled = judge(Design(2, 4, 9, own_noise=False), "base", ["a", "b"], SEEDS, lottery(4, base=(0,), b=(2,)))
    assert pooled.winner is None, "a mean over both kinds of runs tells nothing"


def test_the_same_values_with_another_chance_of_escaping_are_told_apart_by_the_chance() -> None:
    draw = {("base", seed): EndedRun(None, "diverged") for seed in SEEDS} | {("base", SEEDS[0]): EndedRun(1.0)}
    runs = draw | {("a", seed): EndedRun(1.0 + 0.01 * (place % 3)) for place, seed in enumerate(SEEDS)}
    found = judge(Design(1, 3, 30), "base", ["a"], SEEDS, runs)
    verdict = found.verdicts["a"]
    assert verdict.better and verdict.escapes_more and not verdict.lower and verdict.finding == "not established"
    assert found.winner is verdict and found.seeds < 30 and verdict.pairs == 1
    other = judge(Design(1, 3, 30), "a", ["base"], SEEDS, runs).verdicts["base"]
    assert other.worse and other.escapes_less and not other.better


def test_lower_values_do_not_win_where_the_chance_of_escaping_is_established_to_be_lower() -> None:
    stuck = [place for place in range(30) if place % 10]
    a = ["diverged" if place in stuck else 1.0 - 0.001 * place for place in range(30)]
    runs = ended(base=[3.0] * 30, a=a)
    found = judge(Design(1, 30, 30), "base", ["a"], SEEDS, runs).verdicts["a"]
    assert found.lower and found.escapes_less and not found.better and not found.worse


def test_configs_that_differ_by_far_are_no_plateau() -> None:
    found = judge(DESIGN, "base", ["a", "b"], SEEDS, ended(base=around(20, 1, 4), a=around(1), b=around(2)))
    assert found.plateau is None and found.verdicts["a"].better and found.verdicts["a"].escapes is None


def test_the_smallest_difference_that_all_seeds_establish_is_that_of_the_last_level() -> None:
    level = levels(3, DEFAULT.looks)[30].better
    assert smallest_established(DEFAULT, Noise(2.0, 9)) == pytest.approx(2 * math.sqrt(2 / 30) * stats.t.isf(level, 29))


def test_what_would_settle_it_is_the_fewest_pairs_at_the_last_level() -> None:
    found = judge(DESIGN, "base", ["a", "b"], SEEDS, ended(base=around(2), a=around(1.985, -1), b=around(1.999, -1)))
    one = found.verdicts["a"]
    assert one.difference is not None and one.sd is not None and one.pairs_to_settle is not None
    level = levels(2, DESIGN.looks)[5].better
    limit = [one.sd / math.sqrt(n) * stats.t.isf(level, n - 1) for n in (one.pairs_to_settle - 1, one.pairs_to_settle)]
    assert one.pairs_to_settle == 4 or limit[0] >= -one.difference
    assert limit[1] < -one.difference
