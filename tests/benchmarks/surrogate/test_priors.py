"""Priors of campaigns on a surrogate: right, wrong, of configs that it does not know, and refused without them."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.surrogate import campaigns, compare, priors
from benchmarks.surrogate.device import Device
from search_spaces.domains import Uniform


@pytest.fixture(scope="module")
def device(small, made_up) -> Device:
    return Device(small, made_up[:70], "trees", kept=["model.mlp_mult"], unseen=made_up[70:])


def test_what_the_other_half_has_is_a_prior_and_two_wrong_ones_are_made_of_it(device, made_up) -> None:
    right, flipped, mirrored = (priors.PRIORS[name](device, 3).points for name in ("unseen", "flipped", "mirrored"))
    assert {point.score for point in right} == {run.rungs[-1] for run in made_up[70:] if run.completed}
    scores = np.array([[point.score for point in points] for points in (right, flipped, mirrored)])
    assert scores[1] == pytest.approx(2 * scores[0].mean() - scores[0]) and (scores[2] == scores[0]).all()
    assert [point.values for point in flipped] == [point.values for point in right]
    path, low, high = "optimizer.muon_momentum", 0.8, 0.98
    assert device.searched.knob(path).domain == Uniform(low, high)
    for there, here in zip(right, mirrored, strict=True):
        assert here.values[path] == pytest.approx(low + high - there.values[path])
        assert here.values["model.tie_embeddings"] is not there.values["model.tie_embeddings"]
        active = {k.path for k in device.searched.knobs if device.searched.active(k, here.values)}
        assert set(here.values) == active, "no knob that does nothing, and none missing"
    for points in (right, flipped, mirrored):
        assert not any(point.same or "model.mlp_mult" in point.values for point in points)
    led = SimpleNamespace(unseen=[replace(run, kind="TPE") for run in made_up])
    with pytest.raises(ValueError, match="give --halves"):
        priors.unseen(led, 0)


def test_the_recorded_runs_of_the_space_are_points_of_its_small_form_with_the_sizes_of_its_base(device) -> None:
    points = priors.recorded(device, 0).points
    assert len(points) >= 60 and min(points, key=lambda point: point.score).name == "H1"
    for point in points:
        assert point.values["model.num_layers"] == device.base_point["model.num_layers"]
        assert all(value in device.searched.knob(path).domain for path, value in point.values.items())


def test_a_campaign_starts_from_its_prior_and_one_of_unseen_trainings_is_refused_where_all_are_seen(
    device, made_up, monkeypatch, capsys
) -> None:
    method = campaigns.methods()["ours, gp, unseen"](device, 3)
    assert method.sampler.study.sampler.points == priors.unseen(device, 3).points
    assert campaigns.methods()["ours, gp"](device, 3).sampler.study.sampler.points == ()
    monkeypatch.setattr(compare.trainings, "read", lambda space, file: made_up)
    monkeypatch.setattr(compare, "FEWEST", 50)
    assert compare.main(["--methods", "ours, gp, flipped"]) == 2
    assert "ours, gp, flipped needs trainings that the surrogate has not seen: give --halves" in capsys.readouterr().err
    assert not set(compare.without_unseen(campaigns.methods())) & {"ours, gp, unseen", "ours, gp, mirrored"}
