"""An optimizer's field refuses what the rule that it is handed to would refuse: nothing is found out later."""

from __future__ import annotations

import inspect

import pytest
import torch

from trainable.component import Component
from trainable.optimizers.adam import Adam
from trainable.optimizers.adamw import AdamW
from trainable.optimizers.gradient_descent import GradientDescent
from trainable.optimizers.muon import NEWTON_SCHULZ, Muon
from trainable.optimizers.muon_adam import MuonAdam
from trainable.optimizers.muon_adam_split import MuonAdamSplit
from trainable.optimizers.normuon import NorMuon
from trainable.optimizers.sgd import SGD
from trainable.ranges import ranges

ADAM = {"adam_beta1": "beta1", "adam_beta2": "beta2", "adam_eps": "eps", "adam_wd": "weight_decay"}
MUON = {
    "muon_momentum": "momentum",
    "muon_momentum_start": "momentum_start",
    "muon_momentum_warmup_steps": "momentum_warmup_steps",
    "muon_ns_steps": "ns_steps",
    "muon_wd": "weight_decay",
}


@pytest.mark.parametrize(
    ("optimizer", "rule", "names"),
    [
        (AdamW, Adam, {name: name for name in ("beta1", "beta2", "eps", "weight_decay")}),
        (SGD, GradientDescent, {name: name for name in ("momentum", "weight_decay")}),
        (MuonAdam, Adam, ADAM),
        (MuonAdam, Muon, MUON),
        (MuonAdamSplit, Adam, ADAM),
        (MuonAdamSplit, NorMuon, {"muon_momentum": "momentum"}),
    ],
)
def test_a_field_has_the_range_of_the_rules_field(
    optimizer: type[Component], rule: type[Component], names: dict[str, str]
) -> None:
    own, of_rule = ranges(optimizer), ranges(rule)
    assert {name: own[name] for name in names} == {name: of_rule[there] for name, there in names.items()}


def test_each_setting_of_an_optimizer_reaches_the_rules_field_of_that_name() -> None:
    adam = {"beta1": 0.11, "beta2": 0.22, "eps": 0.33, "weight_decay": 0.44}
    named = {name: adam[there] for name, there in ADAM.items()}
    muon = {"momentum": 0.5, "momentum_start": 0.4, "momentum_warmup_steps": 7, "ns_steps": 3, "weight_decay": 0.6}
    assert AdamW(**adam).rule(0.44) == Adam(**adam) and AdamW(**adam).rule(0.0) == Adam(**adam | {"weight_decay": 0.0})
    assert MuonAdamSplit(**named).adam() == Adam(**adam)
    assert MuonAdam(**named).adam() == Adam(**adam, bf16_moments=True)
    assert MuonAdam(**{name: muon[there] for name, there in MUON.items()}).muon() == Muon(**muon)
    descent = {"momentum": 0.5, "nesterov": True, "weight_decay": 0.6}
    assert SGD(**descent).rule() == GradientDescent(**descent)


def test_adamws_defaults_are_torchs() -> None:
    theirs, ours = inspect.signature(torch.optim.AdamW).parameters, AdamW()
    assert (ours.beta1, ours.beta2) == theirs["betas"].default and ours.other_lr_ratio == 1
    for name in ("lr", "eps", "weight_decay"):
        assert getattr(ours, name) == theirs[name].default


def test_muons_defaults_are_torchs() -> None:
    theirs, ours = inspect.signature(torch.optim.Muon).parameters, Muon()
    assert theirs["ns_coefficients"].default == NEWTON_SCHULZ
    assert (ours.momentum, ours.ns_steps) == (theirs["momentum"].default, theirs["ns_steps"].default)


def test_rules_alone_have_the_defaults_of_the_optimizers_that_they_came_with() -> None:
    """Those of the parameter-golf baseline (tests/search_spaces), and of mainrun's."""
    assert MuonAdam().muon() == Muon() and SGD().rule() == GradientDescent()
    assert MuonAdam().adam() == Adam(bf16_moments=True), "the baseline's table has its moments in its own type"
    assert SGD().lr == 6e-3
