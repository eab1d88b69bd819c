from __future__ import annotations

import random
from statistics import fmean

import pytest

from results.design import Design
from results.statistics.confirmation import judge
from results.statistics.judgement import EndedRun
from tuner.plan.looks import BASE, Looks

DESIGN = Design(3, 3, 9)


def runs_of(effects, noise, seed):
    draw, looks = random.Random(seed), Looks(DESIGN, effects, noise)
    return [len(wanted) for wanted in looks.run(draw)], looks


def test_a_large_effect_is_settled_by_the_first_look() -> None:
    counts, looks = runs_of([-50.0, -40.0, 30.0], 1.0, 0)
    assert counts == [12] and looks.winner == 0


def test_what_is_behind_the_base_goes_no_further() -> None:
    counts, looks = runs_of([50.0, 40.0, 30.0], 1.0, 0)
    assert counts == [12] and looks.winner is None


def test_runs_that_are_over_are_not_wanted_again_and_count() -> None:
    seen = {(arm, seed): EndedRun(-5.0 * arm) for arm in (BASE, 0, 1, 2) for seed in range(2)}
    looks = Looks(DESIGN, [0.0, 0.0, 0.0], 0.1, runs=dict(seen))
    first = next(looks.run(random.Random(0)))
    assert sorted(first) == [(BASE, 2), (0, 2), (1, 2), (2, 2)]


def test_a_candidate_that_failed_is_out() -> None:
    looks = Looks(DESIGN, [-9.0, -9.0, -9.0], 0.01, runs={(0, 0): EndedRun(None, "crashed")})
    assert sum(len(wanted) for wanted in looks.run(random.Random(0))) == 11 and looks.winner != 0


@pytest.mark.parametrize("effects", [[-1.0, -0.5, 0.0], [-2.0, -2.0, -2.0], [0.0, 0.0, 0.0]])
def test_it_takes_about_as_many_runs_as_the_judgement_itself(effects) -> None:

    def judged(seed: int) -> int:
        draw, runs = random.Random(seed), dict[tuple[str, int], EndedRun]()
        while not (found := judge(DESIGN, "base", ["0", "1", "2"], range(9), runs)).over:
            for arm, number in found.wanted:
                runs[arm, number] = EndedRun(draw.gauss(0.0 if arm == "base" else effects[int(arm)], 1.0))
        return len(runs)

    ours = fmean(sum(runs_of(effects, 1.0, seed)[0]) for seed in range(80))
    assert ours == pytest.approx(fmean(judged(seed) for seed in range(80)), rel=0.15)
