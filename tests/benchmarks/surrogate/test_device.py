"""A surrogate's device answers as the trainings did that it was made of."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr

from benchmarks.surrogate import device as devices
from benchmarks.surrogate import draws, hold_out, models
from benchmarks.surrogate.device import Device
from tuner.failures import OUT_OF_MEMORY


@pytest.fixture(scope="module", params=models.KINDS)
def device(request, small, made_up) -> Device:
    return Device(small, made_up, request.param)


@pytest.fixture
def base(small):
    return small.space.values_of(small.base)


def test_the_same_run_has_the_same_end_and_another_seed_another(device, base) -> None:
    one, again, other = (device.train(base, seed) for seed in (1, 1, 2))
    assert one == again and one.final != other.final
    assert one.seconds == other.seconds and len(one.rungs) == devices.NUM_RUNGS


def test_seeds_scatter_as_the_replicates_do(device, base) -> None:
    ends = np.array([device.train(base, seed).final for seed in range(300)])
    recorded = hold_out.noise_of_seeds(
        device, device.warp.inverse(device.outputs)[:, -1], np.full(len(device.points), True)
    )
    assert 0.3 * recorded < ends.std() < 2 * recorded  # the noise is that of a logarithm: good configs have less
    assert abs(np.median(ends) - device.expected(base)) < 4 * recorded


def test_better_configs_are_expected_to_be_better(device, small, made_up_end) -> None:
    generator = np.random.default_rng(77)
    points = [draws.at_random(small.space, generator) for _ in range(80)]
    order = spearmanr([device.expected(p) for p in points], [made_up_end(p) for p in points]).statistic
    assert order > 0.6


def test_memory_and_validity_are_computed_and_cost_what_they_should(device, base) -> None:
    large = base | {"model.num_layers": 6, "model.model_dim": 64, "data.batch_tokens": 1024}
    found = device.train(large, 1)
    assert found.status == OUT_OF_MEMORY and found.final is None
    assert found.seconds == pytest.approx(devices.OUT_OF_MEMORY_PART * device.base_seconds)
    invalid = device.train(base | {"model.num_layers": 2, "model.encoder_layers": 4}, 1)
    assert (invalid.status, invalid.seconds, invalid.rungs) == ("infeasible", 0.0, ())


def test_smaller_batches_take_longer(device, base) -> None:
    assert device.seconds(base | {"data.batch_tokens": 512}) > 1.3 * device.seconds(base | {"data.batch_tokens": 1024})


def test_rungs_order_ends_about_as_well_as_recorded_ones_do(device) -> None:
    for _, recorded, played in hold_out.rungs(device):
        assert abs(recorded - played) < 0.25


def test_seconds_of_configs_that_were_not_seen_are_missed_by_little(device, made_up) -> None:
    seconds = np.array([run.seconds for run in made_up if run.completed])
    assert hold_out.seconds_error(device, seconds) < 0.2
    shuffled = np.random.default_rng(0).permutation(seconds)
    assert hold_out.seconds_error(device, seconds) < 0.5 * hold_out.seconds_error(device, shuffled)


def test_configs_diverge_where_recorded_ones_did(small, made_up) -> None:
    hot = [
        replace(run, status="diverged", rungs=()) if run.completed and run.values["optimizer.matrix_lr"] > 0.15 else run
        for run in made_up
    ]
    device, base = Device(small, hot, "trees"), small.space.values_of(small.base)
    diverged = {
        rate: np.mean(
            [device.train(base | {"optimizer.matrix_lr": rate}, seed).status == "diverged" for seed in range(40)]
        )
        for rate in (0.02, 0.29)
    }
    assert diverged[0.02] < 0.25 and diverged[0.29] > 0.4


def test_without_replicates_nothing_is_known_of_the_noise(small, made_up) -> None:
    single = list({run.config: run for run in made_up}.values())
    with pytest.raises(ValueError, match="two seeds"):
        Device(small, single, "trees")


def test_held_out_predictions_have_seen_no_run_of_their_config(small, made_up) -> None:
    inputs = np.repeat(np.random.default_rng(0).random((40, 3)), 2, axis=0)
    outputs = np.repeat(np.random.default_rng(1).normal(size=(40, 1)), 2, axis=0)  # chance alone: nothing to learn
    groups = np.repeat(np.arange(40), 2)
    guessed = devices.held_out("trees", inputs, outputs, groups, seed=0)
    assert abs(np.corrcoef(guessed[:, 0], outputs[:, 0])[0, 1]) < 0.5
