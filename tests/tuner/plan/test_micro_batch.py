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

    def needed_by(config, checkpointing=False):
        return device_memory.Memory(1000, 2 * GB, 100 * GB // config.data.grad_accum_steps, 1 * GB)

    monkeypatch.setattr(device_memory, "needed_by", needed_by)
    monkeypatch.setattr(gpus, "memory_of_each", lambda: [80 * GB, 40 * GB])
    monkeypatch.setattr(nodes, "alive", list)
    monkeypatch.setattr(nodes, "smallest_gpu", lambda found: 24 * GB)


def asked(space="parameter_golf", **changes):
    spec = CampaignSpec(space=space, **{"scale": "proxy", **changes})
    question = ask(load(space), spec)
    return question if "overrides" in changes else replace(question, base=device_memory.with_steps(question.base, 1))


def test_as_many_micro_batches_as_fit_the_smallest_gpu_become_a_setting_of_the_campaign():
    found = micro_batch.fitted(asked(), GPU, Start())
    assert found.base.data.grad_accum_steps == 4 and found.spec.overrides == {micro_batch.MICRO_BATCHES: 4}
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
        asked(overrides={micro_batch.MICRO_BATCHES: 2}),
        asked(replay=Replay(("BASE",))),
    ):
        assert micro_batch.fitted(question, GPU, Start()) is question


def test_a_part_of_a_gpu_has_a_part_of_its_memory():
    assert micro_batch.memory_of_a_trial(asked(gpu_fraction=0.5), GPU, Start()) == 20 * GB
    assert micro_batch.memory_of_a_trial(asked(gpu_fraction="auto"), GPU, Start()) == 40 * GB


def test_where_nothing_would_fit_it_is_said_and_nothing_is_changed(monkeypatch):
    monkeypatch.setattr(device_memory, "needed_by", lambda *config: device_memory.Memory(1, 90 * GB, GB, GB))
    found = micro_batch.fitted(asked(), GPU, Start())
    assert "of 40: it does not fit; a smaller model would" in found.note
    assert found.base.data.grad_accum_steps == 1 and not found.spec.overrides


def large_rows(config, checkpointing=False):
    """Make a row alone take 60 GB, 12 with checkpointed activations, and 2 of these with a loss in pieces."""
    batch = (12 if config.loss_chunks == 1 else 2) if checkpointing else 60
    return device_memory.Memory(1000, 2 * GB, batch * GB, 1 * GB)


@pytest.mark.parametrize(
    ("memory", "asked_for", "settings", "said"),
    [
        (80, {}, {}, None),
        (40, {}, {}, None),  # by checkpointing alone, which is no setting
        (40, {"checkpoint_activations": False}, {}, "of 40: it does not fit; --checkpoint-activations with data.grad"),
        (
            12,
            {},
            {"loss_chunks": 8},
            "loss_chunks=8, so that a micro-batch fits with checkpointed activations: with 1 a",
        ),
        (12, {"overrides": {"losses.ZLoss.weight": 0.1}}, {}, "of 12: it does not fit; shorter rows would"),
        (5, {}, {}, "of 5: it does not fit; shorter rows would"),
    ],
    ids=["fits", "checkpointed", "refused", "in pieces", "terms see all logits", "too small"],
)
def test_where_one_row_is_too_large_activations_are_checkpointed_and_then_the_loss_is_in_pieces(
    monkeypatch, memory, asked_for, settings, said
):
    monkeypatch.setattr(device_memory, "needed_by", large_rows)
    monkeypatch.setattr(gpus, "memory_of_each", lambda: [memory * GB])
    question = asked("nanochat", **asked_for)
    found = micro_batch.fitted(question, GPU, Start())
    assert dict(found.spec.overrides) == {**question.overrides, **settings}
    assert found.base.loss_chunks == settings.get("loss_chunks", 1)
    assert found.note == "" if said is None else said in found.note, found.note


def test_a_loss_is_not_cut_into_pieces_where_terms_that_see_all_logits_are_searched(monkeypatch):
    monkeypatch.setattr(device_memory, "needed_by", large_rows)
    monkeypatch.setattr(gpus, "memory_of_each", lambda: [12 * GB])
    found = micro_batch.fitted(asked(), GPU, Start())
    assert not found.spec.overrides and "it does not fit" in found.note


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
