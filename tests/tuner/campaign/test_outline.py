from __future__ import annotations

import math

import pytest

from tuner.campaign.outline import OUTLINE_POINTS, outline


def curve(losses, name="loss", stride=1):
    steps = [1 + stride * number for number in range(len(losses))]
    return {"steps": steps, "tokens": None, "values": {name: losses}, "units": {name: "nats/token"}}


@pytest.mark.parametrize("name", ["loss", "reported_value"])
def test_a_whole_trial_has_a_mean_for_each_twelfth_of_its_budget(name) -> None:
    losses = [float(step // 20) for step in range(240)]
    assert outline(curve(losses, name), 1.0) == tuple(float(number) for number in range(OUTLINE_POINTS))


def test_half_a_trial_has_half_of_them() -> None:
    assert len(outline(curve([1.0] * 120), 0.5)) == OUTLINE_POINTS // 2
    assert outline(curve([4.0, 2.0, 6.0, 0.0]), 1 / OUTLINE_POINTS) == (3.0,), "all in the first stretch"


def test_a_thinned_curve_is_divided_by_its_steps_and_not_by_its_points() -> None:
    assert len(outline(curve([1.0] * 60, stride=2), 0.5)) == OUTLINE_POINTS // 2


def test_a_stretch_without_a_finite_loss_is_left_out_and_nothing_is_nothing() -> None:
    assert outline(curve([1.0, math.nan]), 1.0) == (1.0,)
    assert outline(curve([]), 1.0) == () == outline(curve([1.0], "gradient_norm"), 0.5) == outline(curve([1.0]), 0.0)
