from __future__ import annotations

import json
import math
import random
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainable.config import UNITS, WHOLE_UNITS, Budget
from tuner.early_stopping import GuardedAsha, Stop, rungs

STOP, CONTINUE = "STOP", "CONTINUE"


class Trials:
    """Reports to one ASHA, as Tune makes them."""

    def __init__(self, milestones: list[int], budget: float = 240, **settings) -> None:
        self.asha = GuardedAsha("val_bpb", milestones, budget, **settings)
        self.known: set[str] = set()

    def report(self, key: str, milestone: float, value: float | None) -> str:
        trial = SimpleNamespace(trial_id=f"tune-{key}", config={"key": key})
        if key not in self.known:
            self.asha.on_trial_add(None, trial)
            self.known.add(key)
        return self.asha.on_trial_result(None, trial, {"milestone": milestone, "val_bpb": value})


class Halving:
    """Asynchronous successive halving, written down once more: a trial goes on if its value is not over the point that
    a third of the earlier values lie below, linear between neighbours."""

    def __init__(self, milestones: list[int]) -> None:
        self.values: dict[int, list[float]] = {m: [] for m in milestones}

    def report(self, milestone: int, value: float) -> str:
        earlier = sorted(self.values[milestone])
        self.values[milestone].append(value)
        if not earlier:
            return CONTINUE
        place = (len(earlier) - 1) / 3
        low, part = int(place), place - int(place)
        high = min(low + 1, len(earlier) - 1)
        cutoff = earlier[low] * (1 - part) + earlier[high] * part
        return STOP if value > cutoff else CONTINUE


@pytest.mark.parametrize(
    ("budget", "expected"),
    [(240, [27, 80]), (1, []), (2, [1]), (4, [1]), (9, [1, 3]), (12, [4]), (100, [11, 33]), (3000, [333, 1000])],
)
def test_rungs_are_the_budget_cut_to_a_third_again_and_again_rounded(budget, expected) -> None:
    assert rungs(Budget(steps=budget)) == expected


@given(st.integers(1, 10**18), st.integers(2, 5), st.sampled_from(WHOLE_UNITS))
def test_rungs_in_whole_units_are_ascending_integers_inside_the_budget(amount, reduction, unit) -> None:
    found = rungs(Budget(**{unit: amount}), reduction)
    assert all(isinstance(rung, int) for rung in found)
    assert found == sorted(set(found)) and all(amount / 10 <= rung < amount for rung in found)


@pytest.mark.parametrize(
    ("budget", "expected"),
    [
        (Budget(epochs=7.0), [0.7777, 2.333]),
        (Budget(epochs=0.05), [0.005557, 0.01667]),
        (Budget(param_data_ratio=0.04), [0.004443, 0.01333]),
        (Budget(seconds=600.0), [66.67, 200.0]),
    ],
)
def test_units_that_have_fractions_have_rungs_of_four_digits(budget, expected) -> None:
    assert rungs(budget) == expected


@given(st.floats(1e-6, 1e9), st.integers(2, 5), st.sampled_from([u for u in UNITS if u not in WHOLE_UNITS]))
def test_fractional_rungs_are_as_many_at_every_size_and_short(amount, reduction, unit) -> None:
    found = rungs(Budget(**{unit: amount}), reduction)
    assert len(found) in {2: (3,), 3: (2,), 4: (1,), 5: (1,)}[reduction]
    assert found == sorted(set(found)) and all(amount / 10 <= rung < amount for rung in found)
    assert all(float(f"{rung:.4g}") == rung for rung in found)


def test_a_fractional_milestone_is_found_again_after_json_parquet_and_a_resume(tmp_path) -> None:
    (first, _) = milestones = rungs(Budget(param_data_ratio=0.04))
    pq.write_table(pa.table({"milestone": [first]}), tmp_path / "reports.parquet")
    for found in (json.loads(json.dumps(first)), pq.read_table(tmp_path / "reports.parquet")["milestone"][0].as_py()):
        asha = GuardedAsha("val_bpb", milestones, 0.04)
        asha.record(found, "a", 1.0)
        assert asha.reached(first) == 1


def test_decisions_at_fractional_rungs_are_those_at_whole_ones() -> None:
    whole, fractional = Trials([27, 80]), Trials(rungs(Budget(epochs=0.05)), budget=0.05)
    for key, value in (("a", 2.0), ("b", 3.0), ("c", 1.0), ("d", 1.66)):
        assert fractional.report(key, 0.005557, value) == whole.report(key, 27, value)
    assert str(fractional.asha.stops["b"]) == "rung 0.005557: 3.0000 > 2.0000"
    assert fractional.report("a", 0.05, 9.0) == CONTINUE, "the budget is no rung"


def test_an_objective_that_is_known_at_the_end_stops_nobody() -> None:
    asha = GuardedAsha("val_bpb_quantised", [], 240)
    trial = SimpleNamespace(trial_id="tune-a", config={"key": "a"})
    asha.on_trial_add(None, trial)
    result = {"milestone": 60.0, "val_bpb": 2.0, "val_bpb_quantised": None}
    assert asha.on_trial_result(None, trial, result) == CONTINUE


def test_decisions_are_those_of_asynchronous_successive_halving_by_hand() -> None:
    trials = Trials([27, 80])
    assert trials.report("a", 27, 2.0) == CONTINUE, "the first one always passes"
    assert trials.report("b", 27, 3.0) == STOP
    assert trials.asha.stops["b"] == Stop(27, 3.0, 2.0)
    assert trials.report("c", 27, 1.0) == CONTINUE
    assert trials.asha.cutoff(27) == pytest.approx(1.0 + 2 / 3)  # of 1, 2, 3
    assert trials.report("d", 27, 1.66) == CONTINUE
    assert trials.report("a", 80, 1.9) == CONTINUE, "nobody has been at this rung"
    assert trials.report("c", 80, 1.91) == STOP
    assert [trials.asha.reached(rung) for rung in (27, 80)] == [4, 2]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_decisions_equal_an_independent_implementation(seed) -> None:
    draw = random.Random(seed)
    trials, halving = Trials([27, 80]), Halving([27, 80])
    going = {str(n): iter([27, 80]) for n in range(25)}
    while going:
        key = draw.choice(list(going))
        milestone = next(going[key], None)
        if milestone is None:
            del going[key]
            continue
        value = draw.uniform(1.0, 3.0)  # not rounded: a value within a last bit of the cutoff is either's to decide
        decision = trials.report(key, milestone, value)
        assert decision == halving.report(milestone, value)
        if decision == STOP:
            del going[key]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, None])
@pytest.mark.parametrize("milestone", [27, 30, 240])
def test_a_value_that_is_not_finite_ends_the_trial_and_enters_no_rung(value, milestone) -> None:
    trials = Trials([27, 80])
    assert trials.report("a", milestone, value) == STOP
    assert trials.asha.reached(27) == trials.asha.reached(80) == 0 and not trials.asha.stops


def test_a_report_between_rungs_or_at_the_end_enters_no_rung() -> None:
    trials = Trials([27, 80])
    for milestone in (26, 28, 79.5, 81, 240):
        assert trials.report("a", milestone, 1.0) == CONTINUE
    assert trials.asha.reached(27) == trials.asha.reached(80) == 0


def test_a_final_value_enters_no_rung() -> None:
    trials = Trials([27, 80])
    trials.report("a", 27, 2.0)
    trial = SimpleNamespace(trial_id="tune-a", config={"key": "a"})
    trials.asha.on_trial_complete(None, trial, {"milestone": 240, "val_bpb": 1.0})
    assert trials.asha.cutoff(27) == 2.0 and trials.asha.reached(80) == 0


def test_a_rung_reported_again_is_neither_judged_twice_nor_entered_in_a_lower_one() -> None:
    """A resumed trial repeats the reports since its checkpoint; with a clock as budget it may have skipped a rung."""
    trials = Trials([27, 80])
    trials.report("a", 80, 1.0)
    trials.report("b", 80, 0.9)
    assert trials.report("a", 80, 1.0) == CONTINUE
    assert trials.asha.reached(27) == 0 and trials.asha.cutoff(80) == pytest.approx(0.9 + 0.1 / 3)


def test_a_protected_trial_is_never_stopped_but_the_others_are_measured_by_it() -> None:
    trials = Trials([27, 80], protected=frozenset(["base"]))
    trials.report("a", 27, 1.0)
    assert trials.report("base", 27, 5.0) == CONTINUE and "base" not in trials.asha.stops
    assert trials.asha.reached(27) == 2
    assert trials.report("b", 27, 5.1) == STOP


def test_rungs_rebuilt_from_records_have_the_cutoffs_of_the_live_ones() -> None:
    draw, live, rebuilt = random.Random(3), Trials([27, 80]), GuardedAsha("val_bpb", [27, 80], 240)
    for key in map(str, range(10)):
        for milestone in (27, 80):
            value = draw.uniform(1, 2)
            live.report(key, milestone, value)
            rebuilt.record(milestone, key, value)
    for milestone in (27, 80):
        assert rebuilt.cutoff(milestone) == live.asha.cutoff(milestone) is not None
        assert rebuilt.reached(milestone) == 10


def test_only_finite_values_at_rungs_are_recorded() -> None:
    asha = GuardedAsha("val_bpb", [27, 80], 240)
    for milestone, value in [(27, math.nan), (27, math.inf), (28, 1.0), (240, 1.0)]:
        asha.record(milestone, "a", value)
    assert asha.reached(27) == asha.reached(80) == 0 and asha.cutoff(27) is None


def test_a_forgotten_trial_is_in_no_rung_and_is_judged_anew() -> None:
    trials = Trials([27, 80])
    for key, value in (("a", 1.0), ("b", 0.5)):
        trials.report(key, 27, value)
    trials.report("b", 80, 0.4)
    trials.asha.forget("b")
    assert trials.asha.cutoff(27) == 1.0 and trials.asha.reached(80) == 0
    assert trials.report("b", 27, 1.5) == STOP


def test_a_stop_says_where_and_why() -> None:
    assert str(Stop(rung=27, value=2.34567, cutoff=2.1)) == "rung 27: 2.3457 > 2.1000"
