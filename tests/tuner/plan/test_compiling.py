"""Steps are compiled where that saves more seconds of a trial than it takes: arithmetic alone, which needs no GPU."""

from __future__ import annotations

import dataclasses

import pytest

import search_spaces
from search_spaces.domains import Choice, Integer, Uniform
from search_spaces.space import Knob
from trainable.config import Budget
from tuner.command import Planning
from tuner.plan import compiling
from tuner.plan.compiling import Compiling, Costs, as_measured, assumed, better_way, num_structures, of_start
from tuner.question import ask
from tuner.spec import CampaignSpec

COSTS = Costs(eager=100.0, saved=0.3, cold=40.0, warm=10.0, source="made up")


@pytest.mark.parametrize(
    ("price", "share", "pays"), [(29.0, 1.0, True), (31.0, 1.0, False), (14.0, 0.5, True), (16.0, 0.5, False)]
)
def test_it_pays_where_the_saved_part_of_what_a_trial_trains_is_more_than_compiling(price, share, pays) -> None:
    found = better_way(None, True, COSTS, share, price)
    assert found.compiles is pays
    answer, other = ("yes", "--no-compile") if pays else ("no", "--compile")
    seconds = f"it saves {30 * share:.0f} s of a trial and takes {price:.0f} s"
    assert found.seconds == (price if pays else 0.0), "of a trial's start"
    assert found.why == f"{answer}: {seconds} (made up; {other} for the other)"


@pytest.mark.parametrize(("asked", "why"), [(True, "yes (--compile)"), (False, "no (--no-compile)")])
@pytest.mark.parametrize("on_cuda", [True, False])
def test_what_is_asked_for_is_done(asked, why, on_cuda) -> None:
    price = 1e6 if asked else 0.0
    assert better_way(asked, on_cuda, COSTS, 1.0, price) == Compiling(asked, why, price)


def test_without_a_gpu_there_is_no_choice_and_nothing_to_say() -> None:
    assert better_way(None, False, COSTS, 1.0, 0.0) == Compiling(False, "")


def test_a_trial_of_unknown_length_is_not_compiled() -> None:
    unknown = dataclasses.replace(COSTS, eager=None)
    assert not better_way(None, True, unknown, 1.0, 0.0).compiles


def test_a_new_structure_costs_a_cold_cache_and_a_known_one_a_warm_one() -> None:
    assert COSTS.compiling(trials=10, structures=10) == 40
    assert COSTS.compiling(trials=10, structures=1) == pytest.approx(0.1 * 40 + 0.9 * 10)
    assert COSTS.compiling(trials=10, structures=30) == 40


def test_a_trial_is_as_long_as_its_arithmetic_or_its_launches_or_the_speed_that_is_given(toy_base) -> None:
    layers, batch = toy_base.model.num_layers, toy_base.data.batch_tokens
    launched = assumed(toy_base, 100 * batch)
    assert launched.eager == pytest.approx(100 * layers * compiling.LAUNCH_SECONDS)
    parts = dataclasses.replace(toy_base.data, grad_accum_steps=2)
    assert assumed(dataclasses.replace(toy_base, data=parts), 100 * batch).eager == pytest.approx(2 * launched.eager)
    assert assumed(toy_base, 6400, tokens_per_second=64.0).eager == 100
    assert (launched.cold, launched.saved) == (layers * compiling.COLD_SECONDS, compiling.SAVED_WAITING)
    assert launched.warm == compiling.WARM * launched.cold
    full = search_spaces.load("nanochat").scale("full").base
    flops = 10**9 * full.model.flops_per_token(32_768, full.data.seq_len)  # of its own vocabulary
    busy = assumed(full, 10**9)
    assert busy.eager == pytest.approx(flops / (0.12 * 989.4e12), rel=0.01) and busy.saved == compiling.SAVED
    in_seconds = dataclasses.replace(toy_base, budget=Budget(seconds=600.0))
    assert assumed(in_seconds, None).eager == 600
    assert assumed(toy_base, None).eager is None


def row(**values):
    return {"status": "completed", "train_seconds": 50.0, "compile_seconds": 0.0, "reused_from": None} | values


def test_a_campaigns_own_trials_take_the_place_of_what_was_assumed() -> None:
    assert as_measured([], COSTS) == COSTS
    assert as_measured([row(status="crashed"), row(reused_from="x"), row(train_seconds=None)], COSTS) == COSTS
    eager = as_measured([row(), row(train_seconds=70.0)], COSTS)
    assert (eager.eager, eager.saved, eager.cold, eager.source) == (60.0, 0.3, 40.0, "training as its trials had it")
    compiled = as_measured([row(compile_seconds=20.0), row(compile_seconds=30.0, train_seconds=55.0)], COSTS)
    assert (compiled.cold, compiled.warm, compiled.saved) == (25.0, 25.0, 0.3)
    assert compiled.eager == pytest.approx(52.5 / 0.7)
    both = as_measured([row(), row(compile_seconds=20.0, train_seconds=30.0)], COSTS)
    assert (both.eager, both.cold) == (50.0, 20.0) and both.saved == pytest.approx(0.4)
    assert both.source == "training and compiling and saving as its trials had it"


def test_structures_are_what_knobs_choose_and_no_numbers() -> None:
    knobs = [
        Knob("model.block", Choice("a", "b", "c"), ""),
        Knob("model.num_layers", Integer(2, 3), ""),
        Knob("model.logit_softcap", Uniform(1.0, 2.0), ""),
        Knob("losses.ZLoss.weight", Choice(0.0, 0.1, 0.2), ""),
        Knob("model.gain", Choice(1.0, 2.0), ""),
        Knob("optimizer.muon", Choice("x", "y"), ""),
    ]
    assert num_structures(knobs, 10**9) == pytest.approx(3 * 2 * 2)
    assert num_structures(knobs, 1) == pytest.approx(1)
    assert num_structures(knobs, 12) == pytest.approx(12 * (1 - (11 / 12) ** 12))
    assert num_structures(knobs[2:3], 50) == 1


def question(**asked):
    return ask(search_spaces.load("nanochat"), CampaignSpec(space="nanochat", **asked), False)


def test_a_campaign_on_a_gpu_is_told_what_it_does_and_why() -> None:
    assert of_start(question(), has_gpu=False).why == ""
    short = of_start(question(), has_gpu=True)
    assert not short.compiles and short.why.startswith("no: it saves ")
    long = of_start(question(overrides={"budget.param_data_ratio": 20.0}), has_gpu=True)
    assert long.compiles and "--no-compile" in long.why
    assert of_start(question(compile=True), has_gpu=False).why == "yes (--compile)"


def test_a_plan_for_another_device_has_its_choice() -> None:
    planned = of_start(question(), has_gpu=False, planning=Planning(device="h100"))
    assert "assumed" in planned.why
    slow = of_start(question(), False, Planning(device="l4", tokens_per_second=10.0))
    assert slow.compiles
    assert of_start(question(), True, Planning(tokens_per_second=10.0)).why == ""
