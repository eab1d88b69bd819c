from __future__ import annotations

import dataclasses

import pytest

from search_spaces.constraints import parse_all
from trainable.config import Budget
from tuner.campaign.same_device import OneDevice, by_the_clock, check_alike


def test_seconds_are_what_a_budget_an_objective_or_a_constraint_counts(toy_base, toy_space) -> None:
    timed = dataclasses.replace(toy_base, budget=Budget(seconds=60.0))
    assert by_the_clock(timed, toy_space) == "budget.seconds"
    assert by_the_clock(toy_base, toy_space) == ""
    for changes, said in (
        ({"objective": "time_to_target"}, "the objective time_to_target"),
        ({"second_objective": "train_seconds"}, "the objective train_seconds"),
        ({"objective": "train_minutes"}, "the objective train_minutes"),
        ({"constraints": parse_all(["train_minutes<=10"])}, "the constraint train_minutes<=10"),
        ({"second_objective": "parameters"}, ""),
        ({"constraints": parse_all(["parameters<=9", "step_seconds<=1"])}, "the constraint step_seconds<=1"),
    ):
        assert by_the_clock(toy_base, dataclasses.replace(toy_space, **changes)) == said


def test_unlike_nodes_are_refused_only_where_seconds_count() -> None:
    check_alike({"a": "L4", "b": "H100"}, "")
    check_alike({"a": "L4", "b": "L4"}, "budget.seconds")
    with pytest.raises(
        ValueError, match=r"^budget.seconds cannot be compared across H100 and L4: give --mixed-devices"
    ):
        check_alike({"a": "L4", "b": "H100"}, "budget.seconds")


def test_a_trial_on_an_unlike_device_is_noticed_when_it_reports() -> None:
    watch = OneDevice("budget.seconds")
    assert watch.see(None) == "" and watch.see("L4") == "" and watch.see("L4") == ""
    assert "across L4 and H100" in watch.see("H100")
    assert OneDevice("", first="L4").see("H100") == ""


@pytest.mark.parametrize("mixed", [False, True])
def test_a_campaign_by_the_clock_ends_at_an_unlike_device_unless_asked_not_to(
    make_bench, toy_base, result_of, mixed
) -> None:
    bench = make_bench(base=dataclasses.replace(toy_base, budget=Budget(seconds=60.0)))
    search = bench.search(slots=2, mixed_devices=mixed)
    for device in ("L4", "H100"):
        request = search.next()
        search.start(request.key)
        search.report(request.key, {**result_of(bench.base, 20.0, 1.5, "running"), "device": device})
    assert search.exhausted is not mixed
    assert ("across L4 and H100" in search.stopping) is not mixed
