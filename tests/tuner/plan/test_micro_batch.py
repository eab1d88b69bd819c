"""Micro-batches by the memory of a GPU: chosen where the base would not fit, said and kept, never against the user."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from search_spaces import load
from tests.small_campaign import SET_SMALL, play_in_place_of_ray, work_in
from tuner.cluster import capacity, device_memory, gpus, nodes
from tuner.command import Planning, Start
from tuner.plan import micro_batch
from tuner.question import ask
from tuner.run import main
from tuner.spec import CampaignSpec, Replay

GPU = capacity.Cluster(1, {"gpu": 1.0, "cpu": 2.0}, has_gpu=True)
CPU = capacity.Cluster(2, {"cpu": 1.0}, has_gpu=False)
GB = 10**9


@pytest.fixture(autouse=True)
def need(monkeypatch):
    """Make a micro-batch of the whole batch take 100 GB, beside 2 for weights and 1 to evaluate."""

    def needed_by(config):
        return device_memory.Memory(1000, 2 * GB, 100 * GB // config.data.grad_accum_steps, 1 * GB)

    monkeypatch.setattr(device_memory, "needed_by", needed_by)
    monkeypatch.setattr(gpus, "memory_of_each", lambda: [80 * GB, 40 * GB])
    monkeypatch.setattr(nodes, "alive", list)
    monkeypatch.setattr(nodes, "smallest_gpu", lambda found: 24 * GB)


def asked(**changes):
    spec = CampaignSpec(space="parameter_golf", **{"scale": "proxy", **changes})
    question = ask(load("parameter_golf"), spec)
    return question if "overrides" in changes else replace(question, base=device_memory.with_steps(question.base, 1))


def test_as_many_micro_batches_as_fit_the_smallest_gpu_become_a_setting_of_the_campaign():
    found = micro_batch.fitted(asked(), GPU, Start())
    assert found.base.data.grad_accum_steps == 4 and found.spec.overrides == {micro_batch.STEPS: 4}
    assert found.note.startswith(
        "memory: data.grad_accum_steps=4, so that a micro-batch fits: with 1 a trial would need"
    )
    assert "about 102 GB of 40" in found.note
    assert micro_batch.fitted(found, GPU, Start()) is found, "a resume finds it set"


@pytest.mark.parametrize(
    ("start", "here", "steps"),
    [
        (Start(), CPU, 1),
        (Start(address="auto"), GPU, 8),
        (Start(planning=Planning(device="h100")), CPU, 2),
        (Start(planning=Planning(device="b200")), CPU, 1),
        (Start(planning=Planning(tokens_per_second=1e5)), GPU, 1),
    ],
    ids=["cpu", "cluster", "h100", "b200", "unknown card"],
)
def test_only_a_memory_that_is_known_and_too_small_changes_anything(start, here, steps):
    question = asked()
    found = micro_batch.fitted(question, here, start)
    assert found.base.data.grad_accum_steps == steps and (found is question) == (steps == 1)


def test_what_a_user_sets_and_a_replay_stay_as_they_are():
    for question in (
        asked(overrides={micro_batch.STEPS: 2}),
        asked(replay=Replay(("BASE",))),
    ):
        assert micro_batch.fitted(question, GPU, Start()) is question


def test_a_part_of_a_gpu_has_a_part_of_its_memory():
    assert micro_batch.memory_of_a_trial(asked(gpu_fraction=0.5), GPU, Start()) == 20 * GB
    assert micro_batch.memory_of_a_trial(asked(gpu_fraction="auto"), GPU, Start()) == 40 * GB


def test_where_nothing_would_fit_it_is_said_and_nothing_is_changed(monkeypatch):
    monkeypatch.setattr(device_memory, "needed_by", lambda config: device_memory.Memory(1, 90 * GB, GB, GB))
    found = micro_batch.fitted(asked(), GPU, Start())
    assert "of 40: it does not fit; a smaller model would" in found.note
    assert found.base.data.grad_accum_steps == 1 and not found.spec.overrides


def test_a_campaign_keeps_the_number_and_goes_on_with_it_on_another_card(tmp_path, monkeypatch, play, capsys):
    work_in(tmp_path, monkeypatch)
    play_in_place_of_ray(monkeypatch, play)
    monkeypatch.setattr(capacity.gpus, "count", lambda: 1)
    monkeypatch.setattr(gpus, "multiply_bf16", lambda: True)
    monkeypatch.setattr(gpus, "memory_of_each", lambda: [80 * GB])
    golf = ["--space", "parameter_golf", "--scale", "proxy", "--data", "text", "--no-audit", "--no-confirm", *SET_SMALL]
    assert main([*golf, "--name", "fits", "--results", "runs", "--trials", "1"]) == 0
    assert "memory: data.grad_accum_steps=2, so that a micro-batch fits" in capsys.readouterr().out

    def kept() -> SimpleNamespace:
        return SimpleNamespace(**json.loads(Path("runs/fits/campaign.json").read_text()))

    assert kept().overrides["data.grad_accum_steps"] == kept().base["data"]["grad_accum_steps"] == 2
    monkeypatch.setattr(gpus, "memory_of_each", lambda: [180 * GB])
    assert main(["--resume", "fits", "--results", "runs", "--trials", "2"]) == 0
    assert kept().overrides["data.grad_accum_steps"] == 2
