"""The worth of candidates: what failures cost, and that no running trial is left out of what is believed."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from search_spaces.own_train import own_space
from tuner.proposals.coordinates import Coordinates
from tuner.proposals.model import goal, models
from tuner.proposals.model.data import ModelData
from tuner.proposals.model.gaussian_process import Hyperparameters


def cost(log_seconds, failed) -> float:
    return goal.part_of_failures(
        SimpleNamespace(log_seconds=np.array(log_seconds), failed_seconds=np.array(failed, dtype=float))
    )


def test_a_failure_is_priced_by_what_failures_took() -> None:
    usual = [np.log(100.0)] * 5
    assert cost([], []) == cost(usual, []) == goal.FAILED_PART
    assert cost(usual, [90.0]) == pytest.approx((4 * 0.1 + 0.9) / 5)
    assert cost(usual, [90.0] * 100) == pytest.approx(0.9, abs=0.04)
    assert cost(usual, [0.0] * 100) < 0.01


def test_of_many_values_a_part_is_taken_and_every_running_trial_beside_it(monkeypatch) -> None:
    monkeypatch.setattr(models, "MOST", 20)
    space = own_space("train", {"x": "0..1"}, {"x": 0.5}, 10, 0, "loss")[0]
    made = models.Models(Coordinates(space), 0, 0)

    parameters = Hyperparameters(torch.tensor([0.1], dtype=torch.float64), 1.0, 0.01)
    rows = np.linspace(0, 0.5, 100)[:, None]
    told = ModelData(rows, np.sin(9 * rows[:, 0]))
    running = np.array([[0.9], [0.95]])
    believed = ModelData(running, np.array([2.5, 2.0]))  # above all that is told, where a subset would thin them out
    alone, process = made.posterior(parameters, told), made.posterior(parameters, told, believed)
    features = made.coordinates.features(running)
    assert (alone.predict(features)[1] > 0.5).all() and (process.predict(features)[1] < 0.05).all()
