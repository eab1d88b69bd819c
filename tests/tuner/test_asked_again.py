"""The command of "What next" plans the question that the campaign asked, whole."""

from __future__ import annotations

import shlex
from dataclasses import fields
from typing import Any

import pytest

import search_spaces
from results.design import Design
from results.questions.asked_again import asked_again
from results.store.resume_command import RUN_PROGRAM
from tuner.cli import options
from tuner.command import Begin
from tuner.question import ask
from tuner.spec import CampaignSpec

PLAIN: dict[str, Any] = {}
EVERYTHING: dict[str, Any] = {
    "overrides": {"budget.steps": 60, "model.mlp": "LeakyRelu2", "data.source": "/tmp/a b"},
    "constraints": ("val_bpb<=8.65", "parameters<=16e6 margin 1%"),
    "likely": ("optimizer.matrix_lr=0.02..0.05",), "trials": 7, "seed": 7, "precision": "fp32", "sampler": "tpe",
    "reuse": ("/tmp/x y", "/tmp/z"), "warm_start": ("recorded",), "stopper": "predictive", "promote": False,
    "reports": 2, "confirm": Design.parse("2x3..4"), "ablate": True, "confirm_scale": "full", "carry": 3,
    "concurrent": 2, "gpu_fraction": 0.5, "cpus": 2, "mixed_devices": True, "stall_minutes": 12.5, "compile": False,
    "keep": "all", "monitor": "logits", "checkpoint_every": 20, "checkpoint_activations": True,
    "compile_blocks": True, "flex_attention": True, "cuda_graphs": True,
}  # fmt: skip
OF_TIME = {"objective": "train_minutes", "constraints": ("val_bpb<=8.65",), "confirm": False, "seed": 3}
TWO = {"objective": "val_bpb,train_seconds", "monitor": "none", "checkpoint_every": 10, "fidelity": "truncate"}


def kept(**given: Any) -> dict[str, Any]:
    space = search_spaces.load("parameter_golf")
    return ask(space, CampaignSpec(space=space.name, **given)).spec.to_json()


def planned(command: str) -> dict[str, Any]:
    """The campaign.json that the printed command would begin with."""
    assert "#" not in command, "nothing is left to whoever copies it"
    found = options.parse(shlex.split(command)[3:])
    assert isinstance(found, Begin)
    return ask(search_spaces.load(found.spec.space), found.spec).spec.to_json()


@pytest.mark.parametrize("given", [PLAIN, EVERYTHING, OF_TIME, TWO], ids=["plain", "everything", "of time", "two"])
def test_the_printed_command_plans_the_same_question(given) -> None:
    campaign = kept(**given)
    assert planned(f"{RUN_PROGRAM} {asked_again(campaign)}") == campaign


def test_what_it_changes_is_all_that_differs() -> None:
    campaign = kept(**EVERYTHING)
    changes = {"trials": 5, "confirm": "1x9", "constraints": ["val_bpb<=9"], "overrides": {"budget.steps": 120}}
    found = planned(f"{RUN_PROGRAM} {asked_again(campaign, changes)}")
    settings = {**campaign["overrides"], "budget.steps": 120}
    expected = campaign | changes | {"overrides": settings}
    assert {name: found[name] for name in expected} == expected | {"constraints": found["constraints"]}
    assert "val_bpb<=9" in found["constraints"] and "val_bpb<=8.65" not in found["constraints"]


def test_every_field_of_a_spec_is_one_that_the_command_can_say() -> None:
    """A new option that the command would leave out is found here."""
    said = {*EVERYTHING, "space", "scale", "objective", "imports"}
    elsewhere = {"replay", "carried"}  # campaigns of another kind
    assert {field.name for field in fields(CampaignSpec)} - said - elsewhere == {"fidelity"}
    assert "--fidelity branch" in asked_again(kept() | {"fidelity": "branch"})
