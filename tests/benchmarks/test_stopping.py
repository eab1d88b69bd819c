"""The comparison of early-stopping rules, on pools whose answer is known."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from benchmarks.stopping import campaigns, is_ordered, main, play
from benchmarks.stopping_pools import PARTS, RUNGS, Pool, at_parts, read
from benchmarks.stopping_rules import RULES, ByShape, OurOwn, signed_rank


def pool(ordered: bool) -> Pool:
    """48 runs, whose values on the way order their ends or have nothing to do with them."""
    draw = np.random.default_rng(0)
    ends = draw.normal(size=48)
    on_the_way = ends[:, None] + 5 + 0.1 * draw.normal(size=(48, PARTS))
    if not ordered:
        on_the_way = 5 + draw.normal(size=(48, 1)) + 0.1 * draw.normal(size=(48, PARTS))
    return Pool("made up", np.column_stack([on_the_way[:, :-1], ends]))


def mean(found, of: str) -> float:
    return float(np.mean([getattr(played, of) for played in found]))


def test_without_a_rule_everything_is_trained_and_nothing_lost() -> None:
    found = campaigns(pool(ordered=False), RULES["none"], slots=4, trials=24, orders=3)
    assert {(played.cost, played.regret, played.lost, played.fewer) for played in found} == {(1.0, 0.0, False, 0.0)}


def test_asha_pays_a_half_in_both_and_loses_the_best_where_values_do_not_order_the_ends() -> None:
    ordered, not_ordered = (
        campaigns(pool(kind), RULES["ASHA, half"], slots=1, trials=24, orders=40) for kind in (True, False)
    )
    assert mean(ordered, "cost") == pytest.approx(0.53, abs=0.05) == mean(not_ordered, "cost")
    assert mean(ordered, "regret") < 0.05 < 0.1 < mean(not_ordered, "regret")
    assert mean(not_ordered, "lost") > 0.5


def test_predictive_termination_saves_where_they_do_and_runs_on_where_they_do_not() -> None:
    ordered, not_ordered = (
        campaigns(pool(kind), RULES["predictive"], slots=1, trials=24, orders=40) for kind in (True, False)
    )
    assert mean(ordered, "cost") < 0.65 and mean(ordered, "regret") < 0.01
    assert mean(not_ordered, "cost") > 0.85 and mean(not_ordered, "lost") < 0.2
    assert is_ordered(pool(ordered=True)) and not is_ordered(pool(ordered=False))


def test_what_was_stopped_goes_on_where_the_evidence_turns_and_what_it_trains_counts() -> None:
    ends = np.array([*np.linspace(2, 2.7, 8), 1.0, *[2.9] * 15])
    there = np.array([*np.linspace(3, 3.7, 8), 3.65, *[2.8] * 15]) + np.linspace(0, 0.01, 24)
    curves = np.tile(there[:, None], (1, PARTS))
    curves[:, -1] = ends + np.linspace(0, 0.01, 24)
    order = Pool("turning", curves), range(24)
    again, for_good = (play(*order, RULES[name], 1, 0) for name in ("predictive", "for good"))
    assert for_good.regret > 0.5 and again.regret == 0, "the one that was behind ends as the best"
    assert for_good.cost < again.cost <= 1


def test_a_rule_by_shape_needs_one_more_finished_trial_and_stops_what_has_no_chance() -> None:
    rule, draw = ByShape(), np.random.default_rng(1)
    for place in range(5):
        curve = np.linspace(5, 3 + place / 10, PARTS) + 0.01 * draw.normal(size=PARTS)
        rule.stops(str(place), 4, curve)
        rule.finished(str(place), curve)
    bad = np.linspace(9, 8, PARTS)
    assert not rule.stops("early", 4, bad)
    rule.stops("sixth", 4, np.linspace(5, 3.65, PARTS))
    rule.finished("sixth", np.linspace(5, 3.65, PARTS))
    assert rule.stops("bad", 4, bad) and not rule.stops("good", 4, np.linspace(5, 2.9, PARTS))
    assert rule.promoted() is None


def test_the_same_cost_without_a_rule_buys_the_first_of_the_trials() -> None:
    class Never(OurOwn):
        def stops(self, key, part, curve) -> bool:
            return key == "0" and part == RUNGS[0]

    curves = np.tile(np.array([[3.0], [2.0], [1.0]]), (1, PARTS))
    (found,) = campaigns(Pool("three", curves), lambda: Never("none"), slots=1, trials=3, orders=1)
    assert found.cost == pytest.approx((0.25 + 1 + 1) / 3) and found.regret == 0
    assert 0 <= found.fewer <= 1.75


@pytest.mark.parametrize("differences", [[1.0, -2.0, 3.0, 4.0], [0.5, 0.1, 0.2], [-1.0, 2.0, -3.0, 4.0, -5.0, 6.0]])
def test_the_signed_rank_test_counts_all_ways_to_give_signs(differences) -> None:
    values = np.array(differences)
    ranks = 1 + np.argsort(np.argsort(np.abs(values)))
    seen = ranks[values > 0].sum()
    ways = [
        sum(rank for rank, sign in zip(ranks, signs, strict=True) if sign)
        for signs in product([0, 1], repeat=len(ranks))
    ]
    assert signed_rank(values) == pytest.approx(np.mean([way >= seen for way in ways]))


def test_wilcoxon_ends_a_trial_whose_curve_lies_above_the_best_one_s() -> None:
    rule, best = RULES["Wilcoxon"](), np.linspace(5, 3, PARTS)
    assert not rule.stops("a", 4, best + 1), "nobody has finished"
    rule.finished("a", best)
    rule.finished("b", best + 0.5)
    assert rule.stops("c", 4, best + np.linspace(0.1, 0.2, PARTS))
    assert not rule.stops("d", 4, best - 0.1) and rule.promoted() is None


def test_a_curve_is_read_between_its_points_and_from_its_folders_pools(tmp_path) -> None:
    found = at_parts([0.125, 0.25, 0.5, 1.0], [4.0, 3.0, 2.0, 1.0])
    assert len(found) == PARTS and found[[1, 3, 7, 15]] == pytest.approx([4.0, 3.0, 2.0, 1.0]) and 2 < found[5] < 3
    with pytest.raises(ValueError, match="holds neither curves"):
        read(tmp_path)


def test_it_prints_a_row_a_pool_and_refuses_a_folder_without_curves(tmp_path, capsys) -> None:
    assert main([str(tmp_path)]) == 2 and "holds neither" in capsys.readouterr().err
    assert main(["--orders", "1", "--trials", "8", "--rules", "predictive", "by shape"]) == 0
    out = capsys.readouterr().out
    assert "golf proxies, random" in out and "replay of ngpt" in out and "fewer, at the same cost" in out
    assert "by shape" in out and "held out: 3 pools" in out
