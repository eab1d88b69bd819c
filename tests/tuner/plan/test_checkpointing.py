"""Activation checkpointing as a campaign decides it: where a trial does not fit otherwise, at each start anew."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from search_spaces import load
from tests.small_campaign import SET_SMALL, play_in_place_of_ray, work_in
from tuner.cluster import capacity, device_memory, gpus
from tuner.command import Planning, Start
from tuner.loop import requests
from tuner.plan import checkpointing
from tuner.plan.card_speed import elsewhere
from tuner.plan.checkpointing import Checkpointing
from tuner.plan.known_devices import fit_in_words
from tuner.question import ask
from tuner.run import main
from tuner.spec import CampaignSpec

GPU = capacity.Cluster(1, {"gpu": 1.0, "cpu": 2.0}, has_gpu=True)
CPU = capacity.Cluster(2, {"cpu": 1.0}, has_gpu=False)
GB = 10**9


@pytest.fixture(autouse=True)
def need(monkeypatch):
    """Make a trial take 63 GB whatever its micro-batch, and 15 with checkpointed activations."""

    def needed_by(config, checkpointing=False):
        return device_memory.Memory(1000, 3 * GB, (12 if checkpointing else 60) * GB, 1 * GB)

    monkeypatch.setattr(device_memory, "needed_by", needed_by)
    monkeypatch.setattr(gpus, "memory_of_each", lambda: [40 * GB])


def question(**changes):
    return ask(load("parameter_golf"), CampaignSpec(space="parameter_golf", scale="proxy", **changes))


@pytest.mark.parametrize(
    ("memory", "checkpoints"), [(80, False), (40, True), (10, False)], ids=["fits without", "fits with", "never fits"]
)
def test_it_is_chosen_where_it_makes_a_trial_fit_and_only_there(memory, checkpoints, monkeypatch):
    monkeypatch.setattr(gpus, "memory_of_each", lambda: [memory * GB])
    found = checkpointing.chosen_for(question(), GPU, Start())
    assert found.checkpoints is checkpoints
    said = "yes: a trial then needs about 15 GB of 40, without 63 (--no-checkpoint-activations for the other)"
    assert found.why == (said if checkpoints else "")


def test_on_cpus_nothing_is_chosen_and_a_named_card_counts_as_its_memory():
    assert checkpointing.chosen_for(question(), CPU, Start()) == Checkpointing(False, "")
    assert checkpointing.chosen_for(question(), CPU, Start(planning=Planning(device="l4"))).checkpoints
    assert not checkpointing.chosen_for(question(), CPU, Start(planning=Planning(device="h100"))).checkpoints


@pytest.mark.parametrize("asked", [True, False])
def test_what_a_user_asks_for_is_done(asked):
    found = checkpointing.chosen_for(question(checkpoint_activations=asked), GPU, Start())
    assert found == Checkpointing(asked, f"{'yes (--' if asked else 'no (--no-'}checkpoint-activations)")


def test_a_plan_says_what_it_needs_and_that_it_trains_more_slowly():
    base = question().base
    assert (
        "about 15 GB of 40 (weights, gradients and moments 3, a micro-batch 12 with checkpointed activations, an"
        in (fit_in_words(base, 40 * GB, True))
    )
    assert "of 40: it does not fit; --checkpoint-activations with data.grad_accum_steps=" in fit_in_words(base, 40 * GB)
    plain, small = (elsewhere(base, "h100", None, checkpointing=again) for again in (False, True))
    assert small.arithmetic == 0.75 * plain.arithmetic and small.tokens_per_second < plain.tokens_per_second
    assert "times 0.75 for checkpointed activations" in small.speed and "checkpointed" not in plain.speed
    assert elsewhere(base, "h100", 1e5, checkpointing=True).tokens_per_second == 1e5, "measured is measured"


@pytest.fixture
def campaign(tmp_path, monkeypatch, play):
    """The command line on a machine with a GPU that is made up; what each request asks for, and what is kept."""
    work_in(tmp_path, monkeypatch)
    play_in_place_of_ray(monkeypatch, play)
    monkeypatch.setattr(capacity.gpus, "count", lambda: 1)
    monkeypatch.setattr(gpus, "multiply_bf16", lambda: True)
    asked = []

    class Kept(requests.Request):
        def __init__(self, **fields):
            asked.append(fields["checkpoint_activations"])
            super().__init__(**fields)

    monkeypatch.setattr(requests, "Request", Kept)
    golf = ["--space", "parameter_golf", "--scale", "proxy", "--data", "text", "--no-audit", "--no-confirm", *SET_SMALL]

    def run(*more: str) -> tuple[bool | None, bool]:
        asked.clear()
        begun = Path("runs/fits/campaign.json").exists()
        first = ["--resume", "fits"] if begun else [*golf, "--name", "fits"]
        assert main([*first, "--results", "runs", *more]) == 0
        kept = json.loads(Path("runs/fits/campaign.json").read_text())
        assert asked and set(asked) == {kept["checkpointed"]}
        return kept["checkpoint_activations"], kept["checkpointed"]

    return run


def test_each_start_decides_by_its_own_gpu_and_says_so(campaign, monkeypatch, capsys):
    assert campaign("--trials", "1") == (None, True)
    assert "checkpoint activations: yes: a trial then needs about 15 GB of 40" in capsys.readouterr().out
    monkeypatch.setattr(gpus, "memory_of_each", lambda: [180 * GB])
    assert campaign("--trials", "2") == (None, False)
    assert "checkpoint activations" not in capsys.readouterr().out
    assert campaign("--trials", "3", "--checkpoint-activations") == (True, True)
    assert campaign("--trials", "4") == (True, True), "what was asked for is kept"
    assert campaign("--trials", "5", "--no-checkpoint-activations") == (False, False)


def test_a_dry_run_says_it(campaign, capsys, monkeypatch):
    golf = ["--space", "parameter_golf", "--scale", "proxy", "--data", "text", "--no-audit", *SET_SMALL]
    assert main([*golf, "--results", "runs", "--dry-run", "--device", "l4"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "checkpoint activations: yes: a trial then needs about 15 GB of 24, without 63" in out
    assert "a micro-batch 12 with checkpointed activations" in out and "times 0.75 for checkpointed" in out


def test_the_setting_is_no_part_of_a_trials_key(campaign):
    base = question().base
    assert "checkpoint" not in json.dumps(sorted(vars(base))) and "checkpoint_activations" not in base.key("data")
