from __future__ import annotations

import json
import math
import random
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ray.tune.schedulers import AsyncHyperBandScheduler, MedianStoppingRule, TrialScheduler

from trainable.config import UNITS, WHOLE_UNITS, Budget
from tuner.early_stopping import (
    FIRST_RUNG_FRACTION,
    Halving,
    Median,
    Stop,
    Stopper,
    bracket_shares,
    rungs,
)

STOP, CONTINUE = "STOP", "CONTINUE"


class Trials:
    """Reports to one stopper."""

    def __init__(self, milestones: list[float], name: str = "asha", reduction: int = 3, **settings) -> None:
        self.stopper = Stopper(name, "val_bpb", milestones, reduction, **settings)

    def report(self, key: str, milestone: float, value: float | None) -> str:
        return STOP if self.stopper.ends(key, {"milestone": milestone, "val_bpb": value}) else CONTINUE


@dataclass(frozen=True)
class RayTrial:
    """A trial as Ray's schedulers know it."""

    trial_id: str


class OfRay:
    """Reports to one of Ray's schedulers, by its public methods."""

    def __init__(self, scheduler: TrialScheduler) -> None:
        self.scheduler, self.added = scheduler, set[str]()

    def report(self, key: str, milestone: float, value: float) -> str:
        trial = RayTrial(key)
        if key not in self.added:
            self.added.add(key)
            self.scheduler.on_trial_add(None, trial)
        return self.scheduler.on_trial_result(None, trial, {"milestone": milestone, "val_bpb": value})


def cutoff(stopper: Stopper, rung: float) -> float | None:
    """The value that ASHA's next trial must not exceed at the rung."""
    return stopper.rule.cutoff("next", rung)


@pytest.mark.parametrize(
    ("budget", "expected"),
    [(240, [60, 120]), (1, []), (2, [1]), (4, [1, 2]), (9, [2, 4]), (12, [3, 6]), (100, [25, 50]), (3000, [750, 1500])],
)
def test_rungs_are_the_budget_cut_to_a_half_again_and_again_rounded(budget, expected) -> None:
    assert rungs(Budget(steps=budget)) == expected


def test_a_rung_may_be_at_a_fifth_of_the_budget_and_no_earlier() -> None:
    assert rungs(Budget(steps=10), 5) == [2] and rungs(Budget(steps=100), 6) == []


@given(st.integers(1, 10**18), st.integers(2, 5), st.sampled_from(WHOLE_UNITS))
def test_rungs_in_whole_units_are_ascending_integers_inside_the_budget(amount, reduction, unit) -> None:
    found = rungs(Budget(**{unit: amount}), reduction)
    assert all(isinstance(rung, int) for rung in found)
    assert found == sorted(set(found)) and all(FIRST_RUNG_FRACTION * amount <= rung < amount for rung in found)


@pytest.mark.parametrize(
    ("budget", "expected"),
    [
        (Budget(epochs=7.0), [1.75, 3.5]),
        (Budget(epochs=0.05), [0.0125, 0.025]),
        (Budget(param_data_ratio=0.04), [0.01, 0.02]),
        (Budget(seconds=600.0), [150.0, 300.0]),
    ],
)
def test_units_that_have_fractions_have_rungs_of_four_digits(budget, expected) -> None:
    assert rungs(budget) == expected


@given(st.floats(1e-6, 1e9), st.integers(2, 4), st.sampled_from([u for u in UNITS if u not in WHOLE_UNITS]))
def test_fractional_rungs_are_as_many_at_every_size_and_short(amount, reduction, unit) -> None:
    found = rungs(Budget(**{unit: amount}), reduction)
    assert len(found) in {2: (2,), 3: (1,), 4: (1,)}[reduction]
    assert found == sorted(set(found)) and all(FIRST_RUNG_FRACTION * amount <= rung < amount for rung in found)
    assert all(float(f"{rung:.4g}") == rung for rung in found)


def test_a_fractional_milestone_is_found_again_after_json_parquet_and_a_resume(tmp_path) -> None:
    (first, _) = milestones = rungs(Budget(param_data_ratio=0.04))
    pq.write_table(pa.table({"milestone": [first]}), tmp_path / "reports.parquet")
    for found in (json.loads(json.dumps(first)), pq.read_table(tmp_path / "reports.parquet")["milestone"][0].as_py()):
        asha = Stopper("asha", "val_bpb", milestones)
        asha.record(found, "a", 1.0)
        assert asha.reached(first) == 1


def test_decisions_at_fractional_rungs_are_those_at_whole_ones() -> None:
    whole, fractional = Trials([27, 80]), Trials([0.005557, 0.01667])
    for key, value in (("a", 2.0), ("b", 3.0), ("c", 1.0), ("d", 1.66)):
        assert fractional.report(key, 0.005557, value) == whole.report(key, 27, value)
    assert str(fractional.stopper.stops["b"]) == "rung 0.005557: 3.0000 > 2.0000 (the one trial there before it)"
    assert fractional.report("a", 0.05, 9.0) == CONTINUE, "the budget is no rung"


def test_an_objective_that_is_known_at_the_end_stops_nobody() -> None:
    asha = Stopper("asha", "train_minutes", [])
    assert not asha.ends("a", {"milestone": 60.0, "val_bpb": 2.0, "train_minutes": None})


def test_decisions_are_those_of_asynchronous_successive_halving_by_hand() -> None:
    trials = Trials([27, 80])
    assert trials.report("a", 27, 2.0) == CONTINUE, "the first one always passes"
    assert trials.report("b", 27, 3.0) == STOP
    assert trials.stopper.stops["b"] == Stop(27, 3.0, 2.0, "the one trial there before it")
    assert trials.report("c", 27, 1.0) == CONTINUE
    assert cutoff(trials.stopper, 27) == pytest.approx(1.0 + 2 / 3)  # of 1, 2, 3
    assert trials.report("d", 27, 1.66) == CONTINUE
    assert trials.report("a", 80, 1.9) == CONTINUE, "nobody has been at this rung"
    assert trials.report("c", 80, 1.91) == STOP
    assert [trials.stopper.reached(rung) for rung in (27, 80)] == [4, 2]


OF_RAY = {"time_attr": "milestone", "metric": "val_bpb", "mode": "min"}


@pytest.mark.parametrize("name", ["asha", "median"])
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), digits=st.sampled_from([1, 2, 17]), reduction=st.integers(2, 4))
def test_decisions_are_those_of_rays_scheduler_of_that_name(name, seed, digits, reduction) -> None:
    """Also where values are equal to each other and to a cutoff. Its rungs are powers: here they are exact."""
    draw, first = random.Random(seed), 10
    milestones = [first, first * reduction]
    if name == "asha":
        ray = AsyncHyperBandScheduler(
            **OF_RAY, max_t=first * reduction**2, grace_period=first, reduction_factor=reduction
        )
    else:
        ray = MedianStoppingRule(**OF_RAY, grace_period=first, min_time_slice=math.inf)
    ours, rays = Trials(milestones, name, reduction), OfRay(ray)
    going = {str(n): iter(milestones) for n in range(25)}
    while going:
        key = draw.choice(list(going))
        milestone = next(going[key], None)
        if milestone is None:
            del going[key]
            continue
        value = round(draw.uniform(1.0, 3.0), digits)
        decision = ours.report(key, milestone, value)
        assert decision == rays.report(key, milestone, value)
        if decision == STOP:
            del going[key]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, None])
@pytest.mark.parametrize("milestone", [27, 30, 240])
def test_a_value_that_is_not_finite_ends_the_trial_and_enters_no_rung(value, milestone) -> None:
    trials = Trials([27, 80])
    assert trials.report("a", milestone, value) == STOP
    assert trials.stopper.reached(27) == trials.stopper.reached(80) == 0 and not trials.stopper.stops


def test_a_report_between_rungs_or_at_the_end_enters_no_rung() -> None:
    trials = Trials([27, 80])
    for milestone in (26, 28, 79.5, 81, 240):
        assert trials.report("a", milestone, 1.0) == CONTINUE
    assert trials.stopper.reached(27) == trials.stopper.reached(80) == 0


def test_a_rung_reported_again_is_neither_judged_twice_nor_entered_in_a_lower_one() -> None:
    """A resumed trial repeats the reports since its checkpoint; with a clock as budget it may have skipped a rung."""
    trials = Trials([27, 80])
    trials.report("a", 80, 1.0)
    trials.report("b", 80, 0.9)
    assert trials.report("a", 80, 1.0) == CONTINUE
    assert trials.stopper.reached(27) == 0 and cutoff(trials.stopper, 80) == pytest.approx(0.9 + 0.1 / 3)


def test_a_protected_trial_is_never_stopped_but_the_others_are_measured_by_it() -> None:
    trials = Trials([27, 80], protected=frozenset(["base"]))
    trials.report("a", 27, 1.0)
    assert trials.report("base", 27, 5.0) == CONTINUE and "base" not in trials.stopper.stops
    assert trials.stopper.reached(27) == 2
    assert trials.report("b", 27, 5.1) == STOP


def test_rungs_rebuilt_from_records_have_the_cutoffs_of_the_live_ones() -> None:
    draw, live, rebuilt = random.Random(3), Trials([27, 80]), Stopper("asha", "val_bpb", [27, 80], 3)
    for key in map(str, range(10)):
        for milestone in (27, 80):
            value = draw.uniform(1, 2)
            live.report(key, milestone, value)
            rebuilt.record(milestone, key, value)
    for milestone in (27, 80):
        assert cutoff(rebuilt, milestone) == cutoff(live.stopper, milestone) is not None
        assert rebuilt.reached(milestone) == 10


def test_only_finite_values_at_rungs_are_recorded() -> None:
    asha = Stopper("asha", "val_bpb", [27, 80])
    for milestone, value in [(27, math.nan), (27, math.inf), (28, 1.0), (240, 1.0)]:
        asha.record(milestone, "a", value)
    assert asha.reached(27) == asha.reached(80) == 0 and cutoff(asha, 27) is None


def test_a_forgotten_trial_is_in_no_rung_and_is_judged_anew() -> None:
    trials = Trials([27, 80])
    for key, value in (("a", 1.0), ("b", 0.5)):
        trials.report(key, 27, value)
    trials.report("b", 80, 0.4)
    trials.stopper.forget("b")
    assert cutoff(trials.stopper, 27) == 1.0 and trials.stopper.reached(80) == 0
    assert trials.report("b", 27, 1.5) == STOP


def test_a_stop_says_where_and_why() -> None:
    assert str(Stop(rung=27, value=2.34567, cutoff=2.1)) == "rung 27: 2.3457 > 2.1000"


def test_without_a_stopper_only_a_value_that_is_not_finite_ends_a_trial() -> None:
    trials = Trials([27, 80], name="none")
    assert [trials.report(key, 27, value) for key, value in (("a", 1.0), ("b", 9.0))] == [CONTINUE, CONTINUE]
    assert trials.report("c", 27, math.nan) == STOP and trials.stopper.reached(27) == 0


def test_the_median_rule_compares_the_best_value_with_the_median_of_the_means_so_far() -> None:
    trials = Trials([27, 80], name="median")
    for key, value in (("a", 1.0), ("b", 2.0), ("c", 3.0)):
        assert trials.report(key, 27, value) == CONTINUE, "three must be there before it judges"
    assert trials.report("d", 27, 2.1) == STOP
    assert str(trials.stopper.stops["d"]) == "rung 27: 2.1000 > 2.0000 (median of the means of 3)"
    assert trials.report("e", 27, 2.0) == CONTINUE
    for key, value in (("a", 0.5), ("b", 1.5), ("c", 2.5)):
        assert trials.report(key, 80, value) == CONTINUE, "under three others have come so far"
    assert trials.report("e", 80, 1.8) == STOP
    assert trials.stopper.stops["e"] == Stop(80, 1.8, 1.75, "median of the means of 3"), "of 0.75, 1.75, 2.75"
    assert (trials.stopper.reached(27), trials.stopper.reached(80)) == (5, 4)


def test_hyperband_gives_each_trial_a_bracket_that_a_resume_finds_again() -> None:
    keys, milestones = [f"{n:016x}" for n in range(3000)], [27, 80]
    first, again = Halving(milestones, 3, brackets=3), Halving(milestones, 3, brackets=3)
    found = [len(first.bracket(key)) for key in keys]
    assert found == [len(again.bracket(key)) for key in keys]
    shares = [found.count(rungs) / len(keys) for rungs in (2, 1, 0)]
    assert shares == pytest.approx(bracket_shares(2), abs=0.04) and bracket_shares(0) == [1.0]


def test_hyperband_judges_a_trial_at_the_rungs_of_its_bracket_among_those_of_its_bracket() -> None:
    trials = Trials([27, 80], name="hyperband")
    rule = trials.stopper.rule
    by_rungs: dict[int, list[str]] = {0: [], 1: [], 2: []}
    for n in range(60):
        by_rungs[len(rule.bracket(str(n)))].append(str(n))
    assert all(len(keys) > 1 for keys in by_rungs.values())
    for rungs_of_it, keys in by_rungs.items():
        for rung in (27, 80):
            decisions = [trials.report(key, rung, value) for key, value in zip(keys, (1.0, 2.0), strict=False)]
            judged = (rung == 80 and rungs_of_it > 0) or (rung == 27 and rungs_of_it == 2)
            assert decisions == [CONTINUE, STOP if judged else CONTINUE]


@pytest.mark.parametrize("name", ["asha", "hyperband", "median"])
@given(seed=st.integers(0, 2**32))
@settings(max_examples=20, deadline=None)
def test_a_stopper_rebuilt_from_its_records_decides_as_the_live_one(name, seed) -> None:
    draw, live, again = random.Random(seed), Trials([27, 80], name=name), Trials([27, 80], name=name)
    for key in map(str, range(12)):
        for rung in (27, 80):
            value = draw.uniform(1, 3)
            decision = live.report(key, rung, value)
            again.stopper.record(rung, key, value)
            if decision == STOP:
                break
    for key in map(str, range(12, 20)):
        value = draw.uniform(1, 3)
        assert live.report(key, 27, value) == again.report(key, 27, value)


@pytest.mark.parametrize("name", ["asha", "hyperband", "median"])
def test_no_stopper_ends_a_protected_trial(name) -> None:
    trials = Trials([27, 80], name=name, protected=frozenset(["base"]))
    for n in range(6):
        trials.report(str(n), 27, 1.0)
    assert trials.report("base", 27, 9.0) == trials.report("base", 80, 9.0) == CONTINUE


def test_a_trial_that_has_skipped_a_rung_has_no_mean_there() -> None:
    """Where the budget is a clock, a step may be longer than the way from one rung to the next."""
    rule = Median()
    for key in "abc":
        assert rule.judge(key, 80, 1.0) is None
    assert rule.judge("d", 27, 9.0) is None, "nobody has a value at 27"
    for key, value in (("e", 1.0), ("f", 2.0), ("g", 3.0)):
        rule.record(key, 27, value)
    assert rule.judge("h", 27, 2.6) == Stop(27, 2.6, 2.5, "median of the means of 4")


def test_a_milestone_is_entered_by_its_own_rung_only_in_every_bracket() -> None:
    rule = Halving([27, 80], 3, brackets=3)
    for n in range(30):
        for rung in (27, 80):
            rule.record(str(n), rung, 1.0)
    sizes = [{rung: len(values) for rung, values in bracket.items()} for bracket in rule.brackets]
    assert [sorted(found) for found in sizes] == [[27, 80], [80], []]
    assert rule.reached(27) == sizes[0][27] and rule.reached(80) == sizes[0][80] + sizes[1][80] < 30
    assert rule.reached(53) == 0


def test_a_rung_that_is_reported_again_is_judged_once_by_the_median_rule_too() -> None:
    trials = Trials([27, 80], name="median")
    for key, value in (("a", 1.0), ("b", 2.0), ("c", 3.0), ("d", 1.5)):
        assert trials.report(key, 27, value) == CONTINUE
    assert trials.report("d", 27, 9.0) == CONTINUE and trials.stopper.reached(27) == 4
    assert trials.report("e", 27, 1.8) == STOP, "d still counts with 1.5: the median of the means is 1.75"


@pytest.mark.parametrize("name", ["asha", "hyperband", "median"])
def test_a_forgotten_trial_has_reached_nothing_by_any_rule(name) -> None:
    trials = Trials([27, 80], name=name)
    for n in range(8):
        trials.report(str(n), 27, 1.0)
    before = trials.stopper.reached(27)
    for n in range(8):
        trials.stopper.forget(str(n))
    trials.stopper.forget("never seen")
    assert before > 0 and trials.stopper.reached(27) == 0


@pytest.mark.parametrize(("reduction", "best"), [(2, "half"), (3, "third"), (4, "quarter"), (5, "1/5")])
def test_a_stop_says_in_words_against_what_the_trial_was_held(reduction, best) -> None:
    rule = Halving([10.0], reduction, 1)
    said = [stop.against for n, value in enumerate((1.0, 2.0, 3.0)) if (stop := rule.judge(str(n), 10.0, value))]
    assert said == ["the one trial there before it", f"the best {best} of 2 there before it"]


def test_of_one_rung_hyperband_spares_the_part_of_the_trials_that_a_softmax_of_no_rung_and_one_gives() -> None:
    rule = Stopper("hyperband", "val_bpb", [10.0]).rule
    assert rule is not None
    judged = sum(not rule.has(f"trial {n}", 10.0) for n in range(4000))
    assert judged / 4000 == pytest.approx(math.e / (1 + math.e), abs=0.02)
