from __future__ import annotations

import math

import pytest

from results.design import DEFAULT, Design
from results.statistics.confirmation import Round, judge, rounds, standing
from results.statistics.judgement import MOST_PAIRS, EndedRun, Judgement, Verdict
from results.statistics.leaderboard import ESTABLISHED, NOT_ESTABLISHED
from results.statistics.pooled_rule import pairs_to_settle
from results.statistics.student_t import two_sided_quantile

DESIGN = Design(2, 3, 5, own_noise=False)  # rounds from before each difference had a noise of its own
SEEDS = (11, 12, 13, 14, 15)
JITTER = (0.01, -0.01, 0.005, -0.005, 0.0)


def ended(**arms: list[float | str]) -> dict[tuple[str, int], EndedRun]:
    """Runs by arm and seed: values, or statuses of runs without one."""
    return {
        (arm, seed): EndedRun(None, value) if isinstance(value, str) else EndedRun(value)
        for arm, values in arms.items()
        for seed, value in zip(SEEDS, values, strict=False)
    }


def around(middle: float, sign: int = 1, count: int = 5) -> list[float]:
    """Values with a little noise, and the same large effect of each seed in every arm."""
    return [middle + sign * jitter + 0.3 * index for index, jitter in enumerate(JITTER[:count])]


@pytest.mark.parametrize("text", ["3x3", "3x3..9", "1x2", "10x2..30", "3x3..5..30", "3x3..3..9"])
def test_a_design_is_read_as_it_is_written(text) -> None:
    assert str(Design.parse(text)) == text


@pytest.mark.parametrize("text", ["", "3", "3x", "3 x 3", "3x3...9"])
def test_what_is_no_design_is_refused_with_the_form_of_one(text) -> None:
    with pytest.raises(ValueError, match=f"^{text!r} must be CANDIDATESxSEEDS"):
        Design.parse(text)


@pytest.mark.parametrize(
    "text, said",
    [
        ("0x3", "asks for 0 candidates, but 1 to 10"),
        ("11x3", "asks for 11 candidates, but 1 to 10"),
        ("3x1", "asks for 1 seed, but each candidate takes 2 to 30"),
        ("3x5..4", "asks for 5 to 4 seeds, but each candidate takes 2 to 30, from fewer to more"),
        ("3x3..31", "asks for 3 to 31 seeds, but each candidate takes 2 to 30"),
    ],
)
def test_a_design_of_too_few_or_too_many_is_refused_with_its_numbers(text, said) -> None:
    with pytest.raises(ValueError, match=f"^{text!r} {said}"):
        Design.parse(text)


def test_a_design_knows_its_cost() -> None:
    assert (DESIGN.fewest_runs, DESIGN.most_runs) == (9, 15)


def test_the_first_look_waits_for_every_arm_on_the_first_seeds_and_the_base_goes_first() -> None:
    wanted = judge(DESIGN, "base", ["a", "b"], SEEDS, {}).wanted
    assert wanted[:3] == (("base", 11), ("a", 11), ("b", 11)) and len(wanted) == 9
    found = judge(DESIGN, "base", ["a", "b"], SEEDS, ended(base=around(2, count=3), a=around(1, count=3)))
    assert set(found.wanted) == {("b", 11), ("b", 12), ("b", 13)} and not found.over and found.winner is None


def test_a_large_effect_is_settled_at_once_in_spite_of_what_seeds_do_to_all_alike() -> None:
    runs = ended(base=around(2, count=3), a=around(1.8, -1, count=3), b=around(2.4, count=3))
    found = judge(DESIGN, "base", ["a", "b"], SEEDS, runs)
    assert found.over and found.wanted == () and found.seeds == 3
    assert found.verdicts["a"].better and found.verdicts["a"].difference == pytest.approx(-0.2, abs=0.02)
    assert found.verdicts["b"].finding == "established" and not found.verdicts["b"].better
    assert found.winner is found.verdicts["a"]


def test_an_undecided_candidate_that_is_ahead_goes_on_and_one_that_is_behind_does_not() -> None:
    runs = ended(base=around(2, count=3), a=around(1.995, -1, count=3), b=around(2.006, -1, count=3))
    found = judge(DESIGN, "base", ["a", "b"], SEEDS, runs)
    assert found.wanted == (("base", 14), ("a", 14)) and not found.over
    assert found.verdicts["a"].going_on and not found.verdicts["b"].going_on
    assert found.verdicts["b"].finding == "not established"


def test_nothing_is_spent_on_one_that_an_established_one_is_ahead_of() -> None:
    runs = ended(base=around(2, count=3), a=around(1.5, -1, count=3), b=around(1.99, -1, count=3))
    found = judge(DESIGN, "base", ["a", "b"], SEEDS, runs)
    assert found.over and found.winner is found.verdicts["a"]
    assert found.verdicts["b"].finding == "not established" and found.verdicts["b"].pairs == 3


def test_the_last_look_ends_it_and_says_how_many_pairs_would_settle_it() -> None:
    runs = ended(base=around(2), a=around(1.995, -1), b=around(2.003, -1))
    found = judge(DESIGN, "base", ["a", "b"], SEEDS, runs)
    undecided = found.verdicts["a"]
    assert found.over and found.winner is None and undecided.pairs == 5
    assert undecided.pairs_to_settle is not None and undecided.pairs_to_settle > 5


def test_a_verdict_stays_what_it_was_when_it_fell() -> None:
    """More noise in what other candidates do later changes nothing about it."""
    early = ended(base=around(2, count=3), a=around(1.85, -1, count=3), b=around(1.84, -1, count=3))
    decided = judge(DESIGN, "base", ["a", "b"], SEEDS, early)
    later = early | ended(base=[*around(2, count=3), 9.0, -9.0])
    assert judge(DESIGN, "base", ["a", "b"], SEEDS, later).verdicts == decided.verdicts


def test_a_candidate_that_failed_on_a_seed_is_out() -> None:
    runs = ended(base=around(2, count=3), a=[1.0, "diverged", 1.0], b=around(1.5, count=3))
    found = judge(DESIGN, "base", ["a", "b"], SEEDS, runs)
    assert found.verdicts["a"].reason == "diverged on seed 12" and not found.verdicts["a"].better
    assert found.winner is found.verdicts["b"]


def test_a_seed_on_which_the_base_failed_is_no_pair() -> None:
    runs = ended(base=[2.0, "crashed", 2.61], a=around(1, count=3), b=around(1.5, count=3))
    found = judge(DESIGN, "base", ["a", "b"], SEEDS, runs)
    assert found.verdicts["a"].pairs == 2 and found.verdicts["a"].difference == pytest.approx(-1, abs=0.02)


def test_a_candidate_that_changes_nothing_is_never_established() -> None:
    same = around(2)
    found = judge(DESIGN, "base", ["a", "b"], SEEDS, ended(base=same, a=same, b=same))
    assert found.over and found.winner is None and found.verdicts["a"].pairs_to_settle is None


def test_the_pairs_that_settle_a_difference_grow_as_it_shrinks() -> None:
    found = [pairs_to_settle(difference, 1.0, DESIGN) for difference in (-9.0, -2.0, -1.0, -0.5, -0.01)]
    known = [pairs for pairs in found if pairs is not None]
    assert known == sorted(known) and len(known) == 4 and known[0] == 2


def row(number: int, arm: str, seed: int, value: float, **columns: object) -> dict[str, object]:
    common = {"stage": "confirm", "round": 0, "design": "2x3..5", "status": "completed", "is_base": arm == "base"}
    return {"number": number, "arm": arm, "seed": seed, "value": value} | common | columns


def test_rows_are_read_back_as_rounds_and_those_of_the_search_are_left_alone() -> None:
    arms = {"base": around(2, count=3), "a": around(1, count=3), "b": around(3, count=3)}
    rows = [row(10 * i + j, arm, SEEDS[i], arms[arm][i]) for i in range(3) for j, arm in enumerate(arms)]
    (found,) = rounds([{"stage": "search", "number": 0}, {"stage": None, "number": 1}, *rows])
    assert (found.base, found.candidates, found.seeds) == ("base", ("a", "b"), SEEDS[:3])
    assert found.judgement.winner is not None and found.judgement.winner.arm == "a"
    assert found.judgement == judge(DESIGN, "base", ["a", "b"], SEEDS, found.runs)


def test_a_round_whose_candidates_have_not_all_started_decides_nothing() -> None:
    rows = [row(i, arm, SEEDS[i // 2], float(arm == "base")) for i, arm in enumerate(["base", "a"] * 3)]
    (found,) = rounds(rows)
    assert not found.judgement.over and found.judgement.winner is None
    assert (found.judgement.seeds, found.judgement.verdicts) == (0, {"a": Verdict("a", 0)})


# --- each of these fails for a change of one sign, limit or argument (docs/mutations.md) ------------------------------


def limit(seeds: int, design: Design, sd: float, confidence: float) -> float:
    """The difference that has to be exceeded, written down once more."""
    t = two_sided_quantile(confidence, design.candidates * (seeds - 1))
    return t * sd * math.sqrt(2 / seeds)


def test_the_default_design_is_the_documented_one() -> None:
    assert str(DEFAULT) == "3x3..5..30"


def test_a_difference_that_one_comparison_would_establish_is_not_established_at_a_look() -> None:
    """The level is that of the look, which is far stricter than 95 % for a single comparison."""
    runs = ended(base=around(2, count=3), a=around(1.97, -1, count=3), b=around(2.0, -1, count=3))
    found = judge(DESIGN, "base", ["a", "b"], SEEDS, runs)
    assert found.noise is not None and found.verdicts["a"].difference is not None
    single = limit(3, DESIGN, found.noise.sd, 0.95)
    look = limit(3, DESIGN, found.noise.sd, DESIGN.confidence(3))
    assert single < abs(found.verdicts["a"].difference) < look
    assert found.verdicts["a"].high == pytest.approx(found.verdicts["a"].difference + look)
    assert found.verdicts["a"].low == pytest.approx(found.verdicts["a"].difference - look)
    assert found.verdicts["a"].finding == NOT_ESTABLISHED and found.verdicts["a"].going_on


def test_before_a_look_nothing_is_known() -> None:
    found = judge(DESIGN, "base", ["a"], SEEDS, {})
    assert (found.verdicts, found.noise, found.seeds) == ({"a": Verdict("a", 0)}, None, 0)


def test_a_round_whose_further_seeds_are_not_drawn_waits_for_nothing() -> None:
    runs = ended(base=around(2, count=3), a=around(1.995, -1, count=3), b=around(2.006, -1, count=3))
    found = judge(DESIGN, "base", ["a", "b"], SEEDS[:3], runs)
    assert (found.wanted, found.seeds, found.over) == ((), 3, False)


def test_a_candidate_that_is_exactly_the_base_is_not_ahead_and_not_gone_on_with() -> None:
    runs = ended(base=[1.0, 2.0, 3.0], a=[2.0, 1.0, 3.0], b=[3.0, 2.0, 2.0])
    found = judge(DESIGN, "base", ["a", "b"], SEEDS, runs)
    assert found.verdicts["a"].difference == 0.0 and found.over


def test_without_noise_nothing_is_established_and_a_candidate_goes_on() -> None:
    design = Design(1, 2, 3, own_noise=False)
    found = judge(design, "base", ["a"], SEEDS, ended(base=[2.0, "crashed"], a=[1.0, 1.1]))
    assert found.noise is None and found.verdicts["a"] == Verdict("a", 1, -1.0)
    assert found.wanted == (("base", 13), ("a", 13))


@pytest.mark.parametrize("order", [["a", "b", "c"], ["c", "b", "a"], ["b", "a", "c"]])
def test_of_several_that_are_better_the_one_that_is_so_by_the_most_wins(order) -> None:
    arms = {"a": around(1.5, count=3), "b": around(1.0, -1, count=3), "c": around(1.7, count=3)}
    found = judge(Design(3, 3, 5, own_noise=False), "base", order, SEEDS, ended(base=around(2, -1, count=3), **arms))
    assert all(verdict.better for verdict in found.verdicts.values())
    assert found.winner is found.verdicts["b"]


@pytest.mark.parametrize(
    ("difference", "finding", "reason", "better", "refuted"),
    [
        (-1.0, ESTABLISHED, "", True, False),
        (1.0, ESTABLISHED, "", False, True),
        (-1.0, NOT_ESTABLISHED, "", False, False),
        (1.0, NOT_ESTABLISHED, "", False, False),
        (None, NOT_ESTABLISHED, "diverged on seed 1", False, True),
        (None, NOT_ESTABLISHED, "", False, False),
    ],
)
def test_a_candidate_is_refuted_where_it_is_established_to_be_worse_or_fails(
    difference, finding, reason, better, refuted
) -> None:
    found = Verdict("a", 3, difference, finding=finding, reason=reason)
    assert (found.better, found.refuted) == (better, refuted)


@pytest.mark.parametrize("difference", [-3.0, -1.1, -0.8, 0.6, -0.45])
@pytest.mark.parametrize("design", [DESIGN, Design(1, 2, 9, own_noise=False), Design(3, 3, 9, own_noise=False)])
def test_the_pairs_that_settle_a_difference_are_the_fewest_that_establish_it_at_the_last_level(
    difference, design
) -> None:
    level = design.confidence(design.last)
    enough = [n for n in range(2, MOST_PAIRS + 1) if abs(difference) > limit(n, design, 1.0, level)]
    assert pairs_to_settle(difference, 1.0, design) == enough[0]
    assert pairs_to_settle(difference, 1.0, design, enough[0] + 5) == enough[0] + 5


def test_beyond_a_hundred_pairs_nobody_is_told_how_many_settle_it() -> None:
    last = limit(100, DESIGN, 1.0, DESIGN.confidence(DESIGN.last))
    assert pairs_to_settle(last * 1.0001, 1.0, DESIGN) == MOST_PAIRS == 100
    assert pairs_to_settle(last * 0.9999, 1.0, DESIGN) is None


def test_what_would_settle_it_is_more_than_there_were_if_only_by_one() -> None:
    """At the last look's level three pairs would do here; at the first look's they did not, so a fourth is needed."""
    runs = ended(base=around(2, count=3), a=around(1.96, -1, count=3), b=around(2.0, -1, count=3))
    found = judge(DESIGN, "base", ["a", "b"], SEEDS, runs)
    assert found.noise is not None and found.verdicts["a"].difference is not None
    assert found.verdicts["a"].finding == NOT_ESTABLISHED
    assert pairs_to_settle(found.verdicts["a"].difference, found.noise.sd, DESIGN) == 3
    assert found.verdicts["a"].pairs_to_settle == 4


def test_a_round_that_has_only_begun_is_read_back() -> None:
    (found,) = rounds([row(0, "base", 11, 1.0)])
    assert (found.base, found.candidates, found.design, found.started) == ("base", (), DESIGN, 1)


# --- which round stands ----------------------------------------------------------------------------------------------


def judged(difference: float, other: float, failing: bool = False, seeds: int = 3) -> Round:
    """A round of two candidates; with fewer than three seeds it is not over."""
    arms = {"base": 0.0, "won": difference, "other": other}
    noise = {"base": (0.0, 0.0, 0.0), "won": (0.0, 0.02, -0.02), "other": (0.01, -0.01, 0.0)}
    runs = {(arm, s): EndedRun(mean + noise[arm][s - 1]) for arm, mean in arms.items() for s in range(1, seeds + 1)}
    if failing:
        runs["won", 2] = EndedRun(None, "crashed")
    return Round(0, Design(2, 3, 3), "base", ("won", "other"), (1, 2, 3), runs, len(runs))


def test_a_winner_that_is_worse_or_fails_when_it_is_tried_again_no_longer_stands() -> None:
    first = judged(-1.0, 0.5)
    assert standing([first]) is first and standing([]) is None
    assert standing([first, judged(-0.0001, 0.5)]) is first, "undecided"
    assert standing([first, judged(0.5, 0.5)]) is None and standing([first, judged(-1.0, 0.5, failing=True)]) is None
    later = judged(0.5, -2.0)
    assert standing([first, later]) is later
    assert standing([judged(0.5, 0.5), first]) is first, "what came before does not count against it"
    assert standing([first, judged(0.5, 0.5), judged(-0.0001, 0.5)]) is None, "any of the later ones"


def test_a_round_that_is_not_over_or_has_no_winner_does_not_stand() -> None:
    first = judged(-1.0, 0.5)
    assert standing([first, judged(-1.0, 0.5, seeds=2)]) is first
    assert standing([judged(0.001, 0.5)]) is None and standing([judged(-1.0, 0.5, seeds=2)]) is None


def test_a_winner_whose_round_still_waits_for_another_candidate_does_not_stand_yet() -> None:
    class Waiting(Round):
        @property
        def judgement(self) -> Judgement:
            won = Verdict("won", 3, -1.0, 0.1, ESTABLISHED, going_on=False)
            return Judgement({"won": won, "other": Verdict("other", 3, -2.0)}, (("other", 4),), None, 3)

    assert standing([Waiting(0, DESIGN, "base", ("won", "other"), (1, 2, 3), {}, 9)]) is None
