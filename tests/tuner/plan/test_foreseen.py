"""What a search cannot keep is said before it begins: limits that trials are expected to break, and too few hours."""

from __future__ import annotations

from dataclasses import replace

import pytest

import search_spaces
from search_spaces.constraints import parse_all
from terminal.console import Console
from trainable.config import Budget
from tuner.cli.foreseen_text import over_a_day, print_expected
from tuner.cluster.capacity import of_this_machine
from tuner.command import Start
from tuner.plan import expected_here
from tuner.plan.already_measured import AsMeasured
from tuner.plan.compiling import Compiling
from tuner.plan.foreseen import Foreseen, beyond_limits, too_few_hours
from tuner.plan.left import left_of
from tuner.plan.throughput import Speeds
from tuner.question import Question, ask
from tuner.spec import CampaignSpec

EXPECTED = Foreseen({"step_seconds": 0.3, "train_seconds": 72.0, "train_minutes": 1.2, "peak_memory_bytes": 2e9})
TIMES = Foreseen({}, trial=80.0, search=1000.0, whole=(1500.0, 3000.0))


def test_a_limit_that_is_kept_is_not_spoken_of() -> None:
    kept = ["step_seconds<=0.3", "train_minutes<=1.2", "peak_memory_bytes<=2e9", "val_bpb<=1.2", "parameters<=1e9"]
    assert beyond_limits(parse_all(kept), EXPECTED) == []
    assert beyond_limits(parse_all(["step_seconds<=0.01"]), Foreseen({})) == [], "nobody knows"


@pytest.mark.parametrize(
    ("limit", "value", "times"),
    [
        ("step_seconds<=0.01", "0.3000", "30"),
        ("train_seconds<=36", "72.0000", "2"),
        ("train_minutes<=1.1", "1.2", "1.09"),
        ("peak_memory_bytes<=1000000000", "2,000,000,000", "2"),
        ("step_seconds<=0.31 margin 10%", "0.3000", "1.08"),
    ],
)
def test_a_limit_that_is_broken_is_one_line_with_the_number_that_is_expected(limit, value, times) -> None:
    (said,) = beyond_limits(parse_all([limit]), EXPECTED)
    assert said.startswith(f"limit: {limit}, and about {value}")
    assert f"is expected of a trial like the base, {times} times that: it would be infeasible" in said


def test_what_has_been_measured_goes_before_what_is_expected() -> None:
    of = "of the base in night"
    kept = replace(EXPECTED, measured={"train_minutes": AsMeasured(0.0837, of)})
    assert beyond_limits(parse_all(["train_minutes<=0.0838"]), EXPECTED) != []
    assert beyond_limits(parse_all(["train_minutes<=0.0838"]), kept) == []
    (said,) = beyond_limits(parse_all(["train_minutes<=0.0279"]), kept)
    assert said.startswith("limit: train_minutes<=0.0279, and 0.0837 was measured of the base in night, 3 times that: ")
    assert "that is infeasible" in said and "expected" not in said
    other = replace(EXPECTED, measured={"step_seconds": AsMeasured(0.1, of)})
    assert "is expected" in beyond_limits(parse_all(["train_minutes<=0.0838"]), other)[0]


def test_times_of_a_thousand_and_more_are_written_out() -> None:
    (said,) = beyond_limits(parse_all(["train_seconds<=0.00757"]), EXPECTED)
    assert "9,511 times that" in said and "e+" not in said
    assert " 1,000 times that" in beyond_limits(parse_all(["train_seconds<=0.07201"]), EXPECTED)[0]


@pytest.mark.parametrize(("limit", "times"), [("train_seconds<=71.95", "1.001"), ("core>=0.2501", "0.9996")])
def test_a_limit_that_is_missed_by_a_hair_is_not_missed_once(limit, times) -> None:
    measured = {"core": AsMeasured(0.25, "of the base in night")}
    (said,) = beyond_limits(parse_all([limit]), replace(EXPECTED, measured=measured))
    assert f", {times} times that: " in said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(79, "a whole trial takes about 1 min 20 s: none will have completed"),
     (81, "the search takes about 16 min 40 s: it is cut, and no confirmation begins"),
     (1001, "all of it takes about 25 min to 50 min: the confirmation is cut"),
     (1501, "all of it takes about 25 min to 50 min: the confirmation may be cut")],
)  # fmt: skip
def test_too_few_hours_are_said_with_what_they_cut(seconds, said) -> None:
    found = too_few_hours(seconds / 3600, TIMES)
    assert said in found and found.endswith("is left for --resume") and found.startswith("--hours 0.")


def test_enough_hours_and_unknown_times_say_nothing() -> None:
    assert too_few_hours(1, TIMES) == "" and too_few_hours(1e-6, Foreseen({})) == ""
    alone = Foreseen({}, trial=80.0, search=1000.0, whole=(1000.0, 1000.0))
    assert "it is cut; what is not done" in too_few_hours(0.1, alone), "there is no confirmation to begin"


@pytest.fixture
def question():
    """Makes the question of a search at the proxy's scale with such limits."""

    def make(*limits: str) -> Question:
        spec = CampaignSpec(space="parameter_golf", scale="proxy", trials=8, constraints=limits)
        return ask(search_spaces.load("parameter_golf"), spec)

    return make


@pytest.mark.parametrize("start", [Start(), Start(address="auto"), Start(hours=1.0, address="auto")])
def test_a_start_says_what_was_measured_also_where_nothing_is_timed_here(question, monkeypatch, capsys, start) -> None:
    monkeypatch.setattr(expected_here, "speeds", lambda *asked, **more: pytest.fail("nothing asks for it"))
    asked, measured = question("parameters<=1e9", "val_bpb<=1.2"), AsMeasured(1.3, "of the base in night")
    here = of_this_machine(1)

    def said(known: dict[str, AsMeasured]) -> str:
        print_expected(Console(), asked, here, start, Compiling(False, ""), None, 0, lambda: known)
        return capsys.readouterr().out.replace("\n", " ")

    assert said({}) == ""
    line = "limit: val_bpb<=1.2, and 1.3000 was measured of the base in night, 1.08 times that: that is infeasible; "
    assert said({"val_bpb": measured}).startswith(line)


def test_a_start_on_a_core_is_expected_by_a_short_measurement(question, monkeypatch) -> None:
    monkeypatch.setattr(expected_here, "speeds", lambda config, runtime, timed_seconds: Speeds(5000.0, 5000.0))
    left, here = left_of(question("step_seconds<=0.01"), None), of_this_machine(1)
    found = expected_here.expected(left, here, Start(), Compiling(False, ""), None)
    assert found is not None and found.search is None and found.trial is not None
    assert found.measures["step_seconds"] == pytest.approx(1024 / 5000)
    reused = replace(left, measured={"step_seconds": AsMeasured(0.005, "of the base in night")})
    for start in (Start(), Start(hours=1.0)):
        known = expected_here.expected(reused, here, start, Compiling(False, ""), None)
        assert known is not None and beyond_limits(left.question.space.constraints, known) == []
    timed = expected_here.expected(left, here, Start(hours=1.0), Compiling(False, ""), None)
    assert timed is not None and timed.trial is not None and timed.search is not None and timed.whole is not None
    assert timed.trial < timed.search < timed.whole[0] < timed.whole[1]


def test_nothing_is_measured_where_no_limit_and_no_hours_ask_for_it(question) -> None:
    asked = expected_here.is_asked_for
    assert asked(question("step_seconds<=0.01"), Start()) and asked(question(), Start(hours=1.0))
    assert not asked(question("val_bpb<=1.2", "parameters<=1e9"), Start())
    assert not asked(question(), Start(hours=1.0, address="auto")), "the machines are elsewhere"


def test_a_search_that_may_take_over_a_day_is_told_by_its_arithmetic_or_its_seconds(question) -> None:
    asked = question()
    base = asked.base

    def with_budget(**limits) -> bool:
        return expected_here.may_take_a_day(replace(asked, base=replace(base, budget=Budget(**limits))), 2)

    assert not with_budget(steps=10) and with_budget(steps=10**12)
    assert not with_budget(seconds=60) and with_budget(seconds=10**6)


def test_only_a_time_of_over_a_day_is_said_at_the_start() -> None:
    assert over_a_day(Foreseen({})) == over_a_day(Foreseen({}, whole=(10.0, 86_000.0))) == ""
    said = over_a_day(Foreseen({}, whole=(86_400.0, 2 * 86_400.0)))
    assert said == "time: about 24 h to 48 h in all, by a moment's measurement (--dry-run: the whole plan)"
