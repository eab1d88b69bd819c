from __future__ import annotations

import pytest

from results.confirmation import Design, Run, judge, pairs_to_settle, rounds

DESIGN = Design(2, 3, 5)
SEEDS = (11, 12, 13, 14, 15)
JITTER = (0.01, -0.01, 0.005, -0.005, 0.0)


def ended(**arms: list[float | str]) -> dict[tuple[str, int], Run]:
    """Runs by arm and seed: values, or statuses of runs without one."""
    return {
        (arm, seed): Run(None, value) if isinstance(value, str) else Run(value)
        for arm, values in arms.items()
        for seed, value in zip(SEEDS, values, strict=False)
    }


def around(middle: float, sign: int = 1, count: int = 5) -> list[float]:
    """Values with a little noise, and the same large effect of each seed in every arm."""
    return [middle + sign * jitter + 0.3 * index for index, jitter in enumerate(JITTER[:count])]


@pytest.mark.parametrize("text", ["3x3", "3x3..9", "1x2", "10x2..30"])
def test_a_design_is_read_as_it_is_written(text) -> None:
    assert str(Design.parse(text)) == text


@pytest.mark.parametrize("text", ["", "3", "3x", "0x3", "3x1", "3x5..4", "3x3..31", "11x3", "3 x 3", "3x3...9"])
def test_another_design_is_refused(text) -> None:
    with pytest.raises(ValueError, match="must be"):
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
    decided = judge(Design(2, 3, 5), "base", ["a", "b"], SEEDS, early)
    later = early | ended(base=[*around(2, count=3), 9.0, -9.0])
    assert judge(Design(2, 3, 5), "base", ["a", "b"], SEEDS, later).verdicts == decided.verdicts


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
